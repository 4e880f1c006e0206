// Events as a list that one can read: three or more of one type within five seconds are one line until
// somebody unfolds them. Newest first.
import type { StreamEvent } from "./stream";

export interface Fold {
  /** The seq of its oldest event: it stays the same when more are added. */
  id: number;
  type: string;
  events: StreamEvent[];
}

export type Entry = { kind: "event"; event: StreamEvent } | { kind: "fold"; fold: Fold };

const LEAST = 3;
const WITHIN = 5000;

/** `events` are newest first. */
export function folded(events: readonly StreamEvent[], open: ReadonlySet<number>): Entry[] {
  const found: Entry[] = [];
  let start = 0;
  while (start < events.length) {
    const end = endOfRun(events, start);
    const run = events.slice(start, end);
    const id = (run.at(-1) as StreamEvent).seq;
    if (run.length >= LEAST && !run.some((event) => open.has(event.seq))) {
      found.push({
        kind: "fold",
        fold: { id, type: (run[0] as StreamEvent).event_type, events: run },
      });
    } else {
      for (const event of run) found.push({ kind: "event", event });
    }
    start = end;
  }
  return found;
}

/** A run is of one type, and lasts no longer than five seconds from its oldest to its newest. */
function endOfRun(events: readonly StreamEvent[], start: number): number {
  const first = events[start] as StreamEvent;
  const newest = Date.parse(first.timestamp);
  let end = start + 1;
  while (
    end < events.length &&
    events[end]?.event_type === first.event_type &&
    newest - Date.parse(events[end]?.timestamp ?? "") <= WITHIN
  )
    end += 1;
  return end;
}

export function sessionsOf(fold: Fold): number {
  return new Set(fold.events.map((event) => event.session_id).filter(Boolean)).size;
}

export interface Wanted {
  type: string | null;
  session: string | null;
  project: string | null;
  priority: string | null;
  text: string | null;
}

const RANKS = ["info", "action", "urgent", "critical"];

/** Whether an event of the stream is one of those that are asked for: as the server tells it. */
export function fits(event: StreamEvent, wanted: Wanted): boolean {
  return (
    (wanted.type === null || wanted.type.split(",").includes(event.event_type)) &&
    (wanted.session === null || wanted.session === event.session_id) &&
    (wanted.project === null || wanted.project === event.project_id) &&
    (wanted.priority === null || RANKS.indexOf(event.priority) >= RANKS.indexOf(wanted.priority)) &&
    (wanted.text === null || lowered(event.message).includes(lowered(wanted.text)))
  );
}

/** Small ASCII letters; others stay, as the database has it. */
function lowered(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
