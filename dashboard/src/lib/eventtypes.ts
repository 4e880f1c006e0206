// The types of events there are, out of the API's own description: so no list here can be behind it.
import { api } from "./api";

let known: Promise<string[]> | null = null;

export function eventTypes(): Promise<string[]> {
  known ??= read().catch(() => {
    known = null;
    return [];
  });
  return known;
}

interface Parameter {
  name: string;
  schema?: { items?: { enum?: string[] } };
}

async function read(): Promise<string[]> {
  const { data } = await api.GET("/api/v1/openapi.json");
  const paths = (data as { paths: Record<string, { get?: { parameters?: Parameter[] } }> }).paths;
  const type = paths["/api/v1/events"]?.get?.parameters?.find((one) => one.name === "type");
  return [...(type?.schema?.items?.enum ?? [])].sort();
}
