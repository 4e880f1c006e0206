import { describe, expect, test } from "vitest";
import { coloured, languageOf, merged } from "../src/lib/highlight";
import { hunksOf, paired, partners } from "../src/lib/patch";
import { wordsOf } from "../src/lib/words";

const PATCH = `diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1,3 +1,4 @@ def f():
 one
-two
+2
+two and a half
 three
@@ -10 +11 @@
--- not a header
+++ neither
\\ No newline at end of file
`;

describe("a patch", () => {
  test("has every line with its numbers, and what looks like a header is none", () => {
    const [first, second] = hunksOf(PATCH);
    expect(first?.context).toBe("def f():");
    expect(first?.lines.map((line) => [line.kind, line.old, line.new, line.text])).toEqual([
      ["same", 1, 1, "one"],
      ["removed", 2, null, "two"],
      ["added", null, 2, "2"],
      ["added", null, 3, "two and a half"],
      ["same", 3, 4, "three"],
    ]);
    expect(second?.lines.map((line) => line.text)).toEqual(["-- not a header", "++ neither"]);
    expect(second?.lines.map((line) => line.open)).toEqual([false, true]);
  });

  test("stands side by side, what went beside what came", () => {
    const [first] = hunksOf(PATCH);
    const pairs = paired(first?.lines ?? []);
    expect(pairs.map(({ left, right }) => [left?.text ?? null, right?.text ?? null])).toEqual([
      ["one", "one"],
      ["two", "2"],
      [null, "two and a half"],
      ["three", "three"],
    ]);
    expect(partners(first?.lines ?? []).size).toBe(0);
  });

  test("of nothing has no hunks", () => {
    expect(hunksOf("")).toEqual([]);
    expect(hunksOf("Binary files a and b differ\n")).toEqual([]);
  });
});

describe("words", () => {
  test("that are other ones are marked, on both sides", () => {
    const found = wordsOf("const one = 1;", "const two = 1;");
    expect(found?.[0].filter((part) => part.marked).map((part) => part.text)).toEqual(["one"]);
    expect(found?.[1].filter((part) => part.marked).map((part) => part.text)).toEqual(["two"]);
  });

  test("of two lines that share nothing are not", () => {
    expect(wordsOf("alpha beta", "gamma delta")).toBeNull();
    expect(wordsOf("same", "same")).toBeNull();
    expect(wordsOf("x".repeat(500), "y")).toBeNull();
  });
});

describe("colours", () => {
  test("keep every character, line by line", async () => {
    const lines = ['def f():  # "why"', '    """Words', '    and more."""', "", "    return 1"];
    const rows = await coloured(lines, "py");
    expect(rows?.map((row) => row.map((token) => token.text).join(""))).toEqual(lines);
    expect(rows?.flat().some((token) => token.type === "kwd")).toBe(true);
  });

  test("are cut where words are marked", () => {
    const tokens = [
      { text: "return ", type: "kwd" },
      { text: "12", type: "num" },
    ];
    const parts = [
      { text: "return 1", marked: false },
      { text: "2", marked: true },
    ];
    expect(merged(tokens, parts, "return 12")).toEqual([
      { text: "return ", type: "kwd", marked: false },
      { text: "1", type: "num", marked: false },
      { text: "2", type: "num", marked: true },
    ]);
  });

  test("are those of the file's name", () => {
    expect(languageOf("a/b.test.tsx")).toBe("ts");
    expect(languageOf("Dockerfile")).toBe("docker");
    expect(languageOf("README")).toBeNull();
  });
});
