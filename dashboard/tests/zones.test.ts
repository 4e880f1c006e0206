import { expect, test } from "vitest";
import { asRow, type Row } from "../src/lib/row";
import { arranged, GHOST, type Line, matcher, sorted } from "../src/lib/zones";

const made = (id: string, turn: Row["turn"], since: number, more: Partial<Row> = {}): Row => ({
  ...asRow({
    id,
    project_id: "my-app",
    status: "working",
    title: `Title of ${id}`,
    turn,
    word: turn,
    rule: "1",
    turn_why: "",
    turn_since: `2026-01-01T00:0${since}:00Z`,
    wants: [],
    created_at: `2026-01-01T00:0${since}:00Z`,
    last_activity_at: "2026-01-01T00:00:00Z",
  }),
  ...more,
});
const map = (...rows: Row[]) => new Map(rows.map((row) => [row.id, row]));
const told = (lines: Line[]) =>
  lines.map((line) => `${line.zone}:${line.id}${line.ghost ? `→${line.ghost.to}` : ""}`);

test("your turn is sorted by waiting, longest first, the others by project and spawn", () => {
  const rows = [
    made("b", "you", 5),
    made("a", "you", 2),
    made("d", "agent", 1, { project_id: "zebra" }),
    made("c", "agent", 9),
  ];
  expect(told(sorted(rows))).toEqual(["you:a", "you:b", "agent:c", "agent:d"]);
});

test("nothing moves under the hand: newcomers join at the end, who leaves stays as a ghost", () => {
  const before = map(made("a", "you", 5), made("b", "you", 6));
  const lines = sorted(before.values());
  const after = map(
    made("a", "world", 7, { word: "merging" }),
    made("b", "you", 6),
    made("z", "you", 1),
  );
  const now = arranged(lines, after, before, 1000, null);
  expect(told(now)).toEqual(["you:a→merging", "you:b", "you:z", "world:a"]);
  const later = arranged(now, after, after, 1000 + GHOST, null);
  expect(told(later)).toEqual(["you:b", "you:z", "world:a"]);
});

test("a ghost stays for as long as the hand is on it", () => {
  const before = map(made("a", "you", 5));
  const after = map(made("a", "agent", 7, { word: "works" }));
  const now = arranged(sorted(before.values()), after, before, 0, "a");
  expect(told(arranged(now, after, after, 10 * GHOST, "a"))).toContain("you:a→works");
  expect(told(arranged(now, after, after, 10 * GHOST, null))).toEqual(["agent:a"]);
});

test("one that came back is no ghost any more where it came from", () => {
  const before = map(made("a", "you", 5));
  const gone = arranged(sorted(before.values()), map(made("a", "agent", 6)), before, 0, null);
  expect(told(arranged(gone, before, before, 10, null))).toEqual(["you:a", "agent:a→you"]);
});

test("a session that is gone is said to be gone", () => {
  const before = map(made("a", "over", 5));
  expect(told(arranged(sorted(before.values()), map(), before, 0, null))).toEqual(["over:a→gone"]);
});

test("a filter takes words, and keys for project, word, turn and review", () => {
  const row = made("a", "you", 1, { word: "asks", review: "approved", pr_number: 41 });
  for (const fits of ["title", "p:my", "s:as", "t:you", "r:app", "#41", "p:my s:asks title"])
    expect(matcher(fits)(row), fits).toBe(true);
  for (const not of ["nothing", "p:api", "s:works", "t:agent", "p:my s:works"])
    expect(matcher(not)(row), not).toBe(false);
});
