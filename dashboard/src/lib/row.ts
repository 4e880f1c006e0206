// A session as every face shows it. Whose turn it is, its word, and what may be done about it come
// from the server; nothing here derives a state.
import type { Schemas } from "./api";

type Given = Schemas["SessionRow"];
type Filled<T> = {
  [K in keyof T]-?: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K];
};
type Lists = "options" | "windows" | "conflicts";

/** What the API sends of a row, with a null where it leaves something out. */
export type Row = Omit<Filled<Given>, Lists | "helpers"> & {
  [K in Lists]: NonNullable<Given[K]>;
} & { helpers: number };

export type Turn = Row["turn"];
export type Checks = NonNullable<Row["checks"]>;
export type Changed = NonNullable<Row["diff"]>;
export type Cost = NonNullable<Row["cost"]>;

const NOTHING: { [K in keyof Row as null extends Row[K] ? K : never]: null } = {
  activity: null,
  agent_name: null,
  archived_at: null,
  branch: null,
  checks: null,
  cost: null,
  detail: null,
  diff: null,
  host: null,
  isolation: null,
  issue_id: null,
  message_waits: null,
  no_signal: null,
  no_signal_since: null,
  outcome: null,
  paused: null,
  paused_since: null,
  pr_number: null,
  pr_url: null,
  question: null,
  queued: null,
  reason: null,
  review: null,
  role: null,
  shared_by: null,
  signal_at: null,
  silent_since: null,
};

export function asRow(given: Given): Row {
  return { ...NOTHING, options: [], windows: [], conflicts: [], helpers: 0, ...given } as Row;
}

/** There is no signal of its agent: its glyph gets a question mark. */
export const silent = (row: Row): boolean => row.signal_at !== null;
