import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checksMark, glyph, turnInWords } from "../src/lib/glyphs";
import { asRow, type Row, silent } from "../src/lib/row";

const page = readFileSync("../docs/turns.md", "utf8"); // the working folder is that of the page
const LINE = /^\| \w+ \|[^|]*\| (you|agent|world|over) · ((?:`\w+` ?)+)\|/gm;

/** Every turn with each of its words, as the table of the rules has them. */
const states = [...page.matchAll(LINE)].flatMap(([, turn, words]) =>
  [...(words ?? "").matchAll(/`(\w+)`/g)].map(([, word]) => ({ turn: turn as Row["turn"], word })),
);

const made = (turn: Row["turn"], word: string | undefined, signal: string | null): Row => ({
  ...asRow({
    id: "ma-1",
    project_id: "my-app",
    status: "working",
    title: "Title",
    turn,
    word: word ?? "",
    rule: "1",
    turn_why: "",
    turn_since: "2026-01-01T00:00:00Z",
    wants: [],
    created_at: "2026-01-01T00:00:00Z",
    last_activity_at: "2026-01-01T00:00:00Z",
  }),
  signal_at: signal,
});

test("no two states of a session differ by colour alone", () => {
  expect(states.length).toBeGreaterThan(20);
  const rows = states.flatMap(({ turn, word }) => [
    made(turn, word, null),
    made(turn, word, "2026-01-01T00:00:00Z"),
  ]);
  const drawn = rows.map((row) => `${glyph(row)}${silent(row) ? "?" : ""} ${row.word}`);
  expect(new Set(drawn).size).toBe(rows.length);
  expect(new Set(rows.map(turnInWords)).size).toBe(rows.length);
});

test("no two outcomes of the checks differ by colour alone", () => {
  const outcomes = [
    { passing: 9, failing: 0, pending: 0 },
    { passing: 7, failing: 2, pending: 0 },
    { passing: 7, failing: 0, pending: 2 },
    { passing: 0, failing: 9, pending: 0 },
    { passing: 0, failing: 0, pending: 9 },
  ];
  expect(new Set(outcomes.map(checksMark)).size).toBe(outcomes.length);
  // as the board has them: how many of all fail, or are not through
  expect(checksMark({ passing: 6, failing: 0, pending: 3 })).toBe("◦ 3/9");
  expect(checksMark({ passing: 7, failing: 2, pending: 0 })).toBe("✗ 2/9");
});
