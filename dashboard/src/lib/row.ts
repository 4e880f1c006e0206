// A session as every face shows it. Whose turn it is, its word, and what may be done about it come
// from the server; nothing here derives a state.
import type { Schemas } from "./api";

export type Turn = "you" | "agent" | "world" | "over";

export interface Checks {
  passing: number;
  failing: number;
  pending: number;
}

export interface Changed {
  added: number;
  removed: number;
  files: number;
}

export interface Cost {
  amount: string | null;
  source: "provider" | "local";
  billing: "metered" | "plan";
}

export interface Turned {
  title: string;
  turn: Turn;
  word: string;
  rule: string;
  turn_why: string;
  turn_since: string;
  wants: string[];
  checks: Checks | null;
  review: string | null;
  diff: Changed | null;
  cost: Cost | null;
  signal_at: string | null;
  options: string[];
}

export type Row = Omit<Schemas["Session"], keyof Turned> & Turned;

/** One row by its id, where the API sent one; a field that `?view=row` leaves out is null. */
export function asRow(given: object): Row {
  const row = given as Partial<Row> & { id: string; created_at: string };
  return {
    ...row,
    title: row.title ?? row.id,
    turn: row.turn ?? "agent",
    word: row.word ?? row.status ?? "",
    rule: row.rule ?? "",
    turn_why: row.turn_why ?? row.reason ?? "",
    turn_since: row.turn_since ?? row.created_at,
    wants: row.wants ?? [],
    checks: row.checks ?? null,
    review: row.review ?? null,
    diff: row.diff ?? null,
    cost: row.cost ?? null,
    signal_at: row.signal_at ?? null,
    options: row.options ?? [],
  } as Row;
}

/** No signal of it has come for a while: its glyph gets a question mark. */
export const silent = (row: Row): boolean =>
  row.no_signal_since != null || row.silent_since != null;
