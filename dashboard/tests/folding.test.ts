import { describe, expect, it } from "vitest";
import { fits, folded, type Wanted } from "../src/lib/folding";
import type { StreamEvent } from "../src/lib/stream";

const NONE: Wanted = { type: null, session: null, project: null, priority: null, text: null };

function event(seq: number, second: number, type = "a", changes: Partial<StreamEvent> = {}) {
  return {
    seq,
    event_type: type,
    priority: "info",
    session_id: "ma-1",
    project_id: "my-app",
    timestamp: new Date(Date.UTC(2026, 10, 27, 12, 0, second)).toISOString(),
    message: "50% Done",
    data: {},
    ...changes,
  } as StreamEvent;
}

const shape = (events: StreamEvent[], open: number[] = []) =>
  folded(events, new Set(open)).map((entry) =>
    entry.kind === "event" ? entry.event.seq : `${entry.fold.type} x${entry.fold.events.length}`,
  );

describe("events of one type within five seconds", () => {
  it("are one line from three on", () => {
    expect(shape([event(3, 4), event(2, 2), event(1, 0)])).toEqual(["a x3"]);
    expect(shape([event(2, 2), event(1, 0)])).toEqual([2, 1]);
  });
  it("are not one line over a longer time, or with another between", () => {
    expect(shape([event(4, 9), event(3, 8), event(2, 2), event(1, 0)])).toEqual([4, 3, 2, 1]);
    expect(shape([event(4, 3), event(3, 2, "b"), event(2, 1), event(1, 0)])).toEqual([4, 3, 2, 1]);
  });
  it("stay unfolded once they were, also when another comes", () => {
    const events = [event(4, 4), event(3, 3), event(2, 2), event(1, 1)];
    expect(shape(events, [1, 2, 3])).toEqual([4, 3, 2, 1]);
  });
  it("lose none and keep their order", () => {
    const events = Array.from({ length: 60 }, (_, index) =>
      event(60 - index, 59 - index, index % 7 < 4 ? "a" : "b"),
    );
    const all = folded(events, new Set()).flatMap((entry) =>
      entry.kind === "event" ? [entry.event] : entry.fold.events,
    );
    expect(all).toEqual(events);
  });
});

describe("what is wanted of the stream", () => {
  it.each<[Partial<Wanted>, boolean]>([
    [{}, true],
    [{ type: "a" }, true],
    [{ type: "b,a" }, true],
    [{ type: "b" }, false],
    [{ session: "ma-2" }, false],
    [{ project: "my-app" }, true],
    [{ priority: "info" }, true],
    [{ priority: "action" }, false],
    [{ text: "50% done" }, true],
    [{ text: "_" }, false],
  ])("%o", (wanted, yes) => {
    expect(fits(event(1, 0), { ...NONE, ...wanted })).toBe(yes);
  });
});
