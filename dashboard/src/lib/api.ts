// Asks the API: typed by the OpenAPI document of the same checkout, so a change there fails here.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** What the API refused, or that it could not be asked at all (status 0): one sentence for a person. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "Refusal";
  }

  get loggedOut(): boolean {
    return this.status === 401;
  }

  /** Nothing was answered: nobody knows whether it was done. */
  get unreachable(): boolean {
    return this.status === 0 || this.status === 502;
  }
}

export const api = createClient<paths>({ baseUrl: "", credentials: "same-origin" });

type Answer<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

let onLoggedOut: () => void = () => {};

/** Who is told when the cookie counts no longer. */
export function whenLoggedOut(tell: () => void): void {
  onLoggedOut = tell;
}

/** The cookie counts no longer, as somebody else than the API has said. */
export function loggedOut(): void {
  onLoggedOut();
}

/** Ask whether the cookie still counts: a socket that is refused does not say why. */
export function askWhetherLoggedIn(): void {
  ask(api.GET("/api/v1/status")).catch(() => {});
}

/** The whole envelope of an answer; throws a Refusal with the sentence of the one that is none. */
export async function whole<T>(asked: Answer<T>): Promise<T> {
  let got: Awaited<Answer<T>>;
  try {
    got = await asked;
  } catch {
    throw new Refusal(0, "Ennio does not answer; what was asked may not have been done");
  }
  if (got.response.ok && got.data !== undefined) return got.data;
  const refusal = new Refusal(got.response.status, sentence(got.error, got.response));
  if (refusal.loggedOut) onLoggedOut();
  throw refusal;
}

/** The data of an answer, out of its envelope: `await ask(api.GET("/api/v1/status"))`. */
export async function ask<T>(asked: Answer<{ data: T }>): Promise<T> {
  return (await whole(asked)).data;
}

const AGAIN = [300, 700, 1500, 3000, 5000]; // milliseconds between tries

/** Ask for what is done once under its key, however often it is sent: where no answer comes, again,
 *  until Ennio has had the time to come back. */
export async function persist<T>(send: () => Promise<T>): Promise<T> {
  for (const wait of AGAIN) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Refusal && error.unreachable)) throw error;
    }
    await new Promise((then) => setTimeout(then, wait));
  }
  return send();
}

/** A request that the table of verbs names, which is known only when it is read; one with a `key` is
 *  carried out once and may be sent again. */
export async function order(
  method: string,
  path: string,
  body: unknown,
  key: string | null,
): Promise<unknown> {
  const headers: Record<string, string> = key === null ? {} : { "Idempotency-Key": key };
  const init: RequestInit = { method, credentials: "same-origin", headers };
  if (method === "POST") {
    init.body = JSON.stringify(body ?? {});
    headers["Content-Type"] = "application/json";
  }
  return ask(
    fetch(path, init).then(async (response) => {
      const read = await response.json().catch(() => undefined);
      return response.ok ? { data: read, response } : { error: read, response };
    }),
  );
}

function sentence(error: unknown, response: Response): string {
  if (typeof error === "object" && error !== null && "error" in error) return String(error.error);
  return `Ennio answered ${response.status} ${response.statusText}`.trim();
}
