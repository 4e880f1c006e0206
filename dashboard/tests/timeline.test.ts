import { expect, test } from "vitest";
import { spans } from "../src/lib/timeline";

const phase = (name: string, began: number, ended: number | null) => ({
  name,
  began: new Date(began * 1000).toISOString(),
  ended: ended === null ? null : new Date(ended * 1000).toISOString(),
  seq: began,
  event: name,
  message: "",
});

test("a phase is as wide as it was long, the shortest can be met, and a night is folded", () => {
  const found = spans(
    [
      phase("spawn", 0, 1),
      phase("working", 1, 301),
      phase("asks", 301, 30_301),
      phase("working", 30_301, null),
    ],
    30_361_000,
  );
  expect(found.map((one) => [one.share, one.folded, one.goesOn])).toEqual([
    [25, false, false],
    [300, false, false],
    [600, true, false],
    [60, false, true],
  ]);
});
