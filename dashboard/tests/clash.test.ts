import { expect, test } from "vitest";
import { clash } from "../src/lib/clash";

const SINCE = "2026-01-01T00:00:00Z";
const expected = (...names: string[]) => ({
  conflicts: names.map((name) => ({ with: name, branch: name, paths: [], since: SINCE })),
});

test("a conflict names the first it is with, and how many more", () => {
  expect(clash(expected())).toBe("");
  expect(clash(expected("ma-1"))).toBe("conflict with ma-1");
  expect(clash(expected("ma-1", "ma-2", "ma-3"))).toBe("conflict with ma-1 and 2 more");
});
