import { expect, test } from "vitest";
import { linesOf } from "../src/lib/loglines";

test("each line has its number, and the end of the last one is none of its own", () => {
  expect(linesOf([{ line: 7, text: "a\n\nb\n" }])).toEqual([
    { number: 7, text: "a" },
    { number: 8, text: "" },
    { number: 9, text: "b" },
  ]);
});

test("a line that is longer than a part is one line", () => {
  const parts = [
    { line: 1, text: "first\n" },
    { line: 2, text: "long" },
    { line: 2, text: "er th" },
    { line: 2, text: "an that\nlast\n" },
  ];
  expect(linesOf(parts)).toEqual([
    { number: 1, text: "first" },
    { number: 2, text: "longer than that" },
    { number: 3, text: "last" },
  ]);
});
