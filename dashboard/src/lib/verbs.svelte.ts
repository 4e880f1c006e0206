// What may be done about a session: the table comes from the server, which says of each row what it
// would accept now. Each verb is one REST operation and one line for the terminal.
import { api, ask, order, persist, Refusal, type Schemas } from "./api";
import { clash } from "./clash";
import type { Row } from "./row";

export type Verb = Schemas["Verb"];

/** How what a verb takes is asked for, by the field that it goes into. */
export const TAKEN: Record<string, { asks: string; kind: "words" | "number"; example: string }> = {
  answer: { asks: "Your answer, in your own words", kind: "words", example: "" },
  message: { asks: "What the agent should know or do", kind: "words", example: "" },
  body: { asks: "What should be different", kind: "words", example: "" },
  usd: { asks: "By how many dollars", kind: "number", example: "5" },
  position: { asks: "To which place in the queue", kind: "number", example: "1" },
};

class Verbs {
  table = $state.raw<ReadonlyMap<string, Verb>>(new Map());
  /** Whether the table was read, or cannot be: what is shown before would move when it comes. */
  settled = $state.raw(false);
  #asked = false;

  load(): void {
    if (this.#asked) return;
    this.#asked = true;
    ask(api.GET("/api/v1/verbs")).then(
      (read) => {
        this.table = new Map(read.map((verb) => [verb.name, verb]));
        this.settled = true;
      },
      () => {
        this.#asked = false;
        this.settled = true;
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

/** What is asked before it is done, or nothing; of a merge also what will not merge after it. */
export function consentOf(verb: Verb, row: Row): string | null {
  if (verb.confirm === null) return null;
  const expected = verb.name === "merge" ? clash(row) : "";
  return `${expected === "" ? "" : `A ${expected} is expected. `}${filled(verb.confirm, row)}`;
}

/** What of the row an order is about, as it is now: what comes after that is not meant. */
export function seenOf(verb: Verb, row: Row): Record<string, unknown> {
  const shown = Object.entries(verb.seen).map(([name, field]) => [name, row[field as keyof Row]]);
  return Object.fromEntries(shown.filter(([, value]) => value !== null));
}

/** What is sent: what the person gave in its field, and what the verb always sends. */
function bodyOf(verb: Verb, given: string | null): Record<string, unknown> {
  if (verb.takes === null || given === null) return { ...verb.body };
  return { ...verb.body, [verb.takes]: verb.takes === "position" ? Number(given) : given };
}

/** Do it; where it takes a `key`, once under that, however often it is sent. */
export async function carryOut(
  verb: Verb,
  row: Row,
  given: string | null,
  key: string,
  seen: Record<string, unknown>,
): Promise<void> {
  if (verb.path.includes("{number}") && row.pr_number === null)
    throw new Refusal(409, "it has no pull request any more");
  const [path, body] = [filled(verb.path, row), { ...bodyOf(verb, given), ...seen }];
  if (verb.once) await persist(() => order(verb.method, path, body, key));
  else await order(verb.method, path, body, null);
}

function filled(text: string, row: Row): string {
  return text
    .replaceAll("{session_id}", row.id)
    .replaceAll("{project_id}", row.project_id)
    .replaceAll("{number}", String(row.pr_number ?? ""));
}
