// Which verbs the server would take of a session now, also those that nobody waits for.
import { api, ask } from "./api";

export async function acceptedOf(id: string): Promise<string[]> {
  const path = { session_id: id };
  return (await ask(api.GET("/api/v1/sessions/{session_id}", { params: { path } }))).accepts ?? [];
}
