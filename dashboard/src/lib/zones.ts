// Where each session stands on the first page. Order is held: a row that leaves its zone stays there
// for a moment as a ghost that says where it went, newcomers join at the end, and everything is sorted
// anew only when the reader asks for it, comes back to the view, or has been idle.
import type { Row, Turn } from "./row";

export const ZONES: readonly Turn[] = ["you", "agent", "world", "over"];
export const GHOST = 3000;

export interface Line {
  id: string;
  zone: Turn;
  /** What is shown of one that has left: its last row here, its word now, and since when. */
  ghost: { row: Row; to: string; at: number } | null;
}

const byWaiting = (a: Row, b: Row) => compare(a.turn_since, b.turn_since) || compare(a.id, b.id);
const bySpawn = (a: Row, b: Row) =>
  compare(a.project_id, b.project_id) || compare(a.created_at, b.created_at) || compare(a.id, b.id);
const byEnd = (a: Row, b: Row) => compare(b.turn_since, a.turn_since) || compare(a.id, b.id);

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const SO_MANY = 200; // sessions: beyond that a list is only found through by its projects

/** Whether zones are grouped by project: as the reader chose, else where there are very many. */
export function isGrouped(chosen: string | null, count: number): boolean {
  return chosen === "project" || (chosen === null && count > SO_MANY);
}

/** All of them in their proper order. */
export function sorted(rows: Iterable<Row>): Line[] {
  const all = [...rows];
  return ZONES.flatMap((zone) =>
    all
      .filter((row) => row.turn === zone)
      .sort(zone === "you" ? byWaiting : zone === "over" ? byEnd : bySpawn)
      .map((row) => ({ id: row.id, zone, ghost: null })),
  );
}

/** The same lines with what has changed meanwhile; `held` is the one under the reader's hand. */
export function arranged(
  before: readonly Line[],
  rows: ReadonlyMap<string, Row>,
  last: ReadonlyMap<string, Row>,
  now: number,
  held: string | null,
): Line[] {
  const kept: Line[] = [];
  const there = new Set<string>();
  for (const line of before) {
    const row = rows.get(line.id);
    if (row !== undefined && row.turn === line.zone) {
      if (!there.has(line.id)) kept.push(line.ghost === null ? line : { ...line, ghost: null });
      there.add(line.id);
      continue;
    }
    const shown = line.ghost?.row ?? last.get(line.id);
    if (shown === undefined) continue;
    const at = line.ghost?.at ?? now;
    if (now - at < GHOST || held === line.id)
      kept.push({ ...line, ghost: { row: shown, to: row?.word ?? "gone", at } });
  }
  const came = sorted(rows.values()).filter((line) => !there.has(line.id));
  return ZONES.flatMap((zone) => [
    ...kept.filter((line) => line.zone === zone),
    ...came.filter((line) => line.zone === zone),
  ]);
}

/** What a person types to narrow the list: words, and `p:` project, `s:` word, `t:` turn, `r:` review. */
export function matcher(text: string): (row: Row) => boolean {
  const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => terms.every((term) => matches(row, term));
}

function matches(row: Row, term: string): boolean {
  const [key, value = ""] = term.includes(":") ? term.split(/:(.*)/s) : ["", term];
  switch (key) {
    case "p":
      return row.project_id.toLowerCase().includes(value);
    case "s":
      return row.word.toLowerCase().startsWith(value) || row.status.startsWith(value);
    case "t":
      return row.turn.startsWith(value);
    case "r":
      return (row.review ?? "").toLowerCase().startsWith(value);
    default:
      return [row.id, row.title, row.project_id, row.branch, row.word, row.agent_name, row.issue_id]
        .concat(row.pr_number === null ? null : `#${row.pr_number}`)
        .some((words) => words?.toLowerCase().includes(term));
  }
}
