// What may be done about a session: the table comes from the server, which says of each row what it
// would accept now. Each verb is one REST operation and one line for the terminal.
import { ask, order, Refusal } from "./api";
import type { Row } from "./row";

export interface Verb {
  name: string;
  label: string;
  method: string;
  path: string;
  command: string;
  confirm: string | null;
}

/** Verbs that need words of the person, and how these are asked for. */
export const WORDS: Record<string, { asks: string; sends: string; field: string }> = {
  answer: { asks: "Your answer, in your own words", sends: "Answer", field: "answer" },
  tell: { asks: "What the agent should know or do", sends: "Send", field: "message" },
  "request-changes": { asks: "What should be different", sends: "Request changes", field: "body" },
};

class Verbs {
  table = $state.raw<ReadonlyMap<string, Verb>>(new Map());
  #asked = false;

  load(): void {
    if (this.#asked) return;
    this.#asked = true;
    ask<Verb[]>(
      fetch("/api/v1/verbs", { credentials: "same-origin" }).then(async (response) => ({
        data: response.ok ? await response.json() : undefined,
        response,
      })),
    ).then(
      (read) => {
        this.table = new Map(read.map((verb) => [verb.name, verb]));
      },
      () => {
        this.#asked = false;
      },
    );
  }

  get(name: string): Verb | undefined {
    return this.table.get(name);
  }

  label(name: string): string {
    return this.get(name)?.label ?? name;
  }
}

export const verbs = new Verbs();

/** The line for the terminal that does the same, with the session in it. */
export function lineOf(verb: Verb, row: Row): string {
  return filled(verb.command, row);
}

export async function carryOut(verb: Verb, row: Row, body?: unknown): Promise<void> {
  if (verb.path.includes("{number}") && row.pr_number === null)
    throw new Refusal(409, "it has no pull request any more");
  await order(verb.method, filled(verb.path, row), body);
}

function filled(text: string, row: Row): string {
  return text
    .replaceAll("{session_id}", row.id)
    .replaceAll("{project_id}", row.project_id)
    .replaceAll("{number}", String(row.pr_number ?? ""));
}
