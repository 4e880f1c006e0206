import { describe, expect, it } from "vitest";
import {
  bars,
  csv,
  days,
  keyOf,
  type Point,
  priceLines,
  sourceOf,
  spanOf,
  spent,
  sums,
  tokens,
  total,
} from "../src/lib/spending";

const POINT: Point = {
  day: "2026-11-30",
  project_id: "my-app",
  model: "m",
  source: "provider",
  session_id: "ma-1",
  requests: 1,
  unpriced_requests: 0,
  unlisted_requests: 0,
  input_tokens: 1000,
  output_tokens: 100,
  cache_read_tokens: 250,
  tokens: 1100,
  billed_usd: "0.84",
  listed_usd: "0",
};
const of = (...changes: Partial<Point>[]) => changes.map((change) => ({ ...POINT, ...change }));
const UNKNOWN = { billed_usd: null, listed_usd: "0", unpriced_requests: 1 };
const PLAN = { billed_usd: "0", listed_usd: "2" };
const UNLISTED = { billed_usd: "0", listed_usd: null, unpriced_requests: 1, unlisted_requests: 1 };

describe("what is not known is no zero", () => {
  it.each([
    ["what the provider says", of({}), "$0.84", "provider"],
    ["what we reckoned", of({ source: "local" }), "~$0.84", "local"],
    ["no price", of(UNKNOWN), "?", "no price"],
    ["a part without a price", of({}, UNKNOWN), "$0.84 + ?", "provider, no price"],
    ["a plan", of(PLAN), "plan", "list price"],
    ["a plan without a list price", of(UNLISTED), "plan", "no price"],
    ["a plan and a bill", of({ source: "local" }, PLAN), "~$0.84 + plan", "local"],
    ["less than a cent", of({ billed_usd: "0.000000000001" }), "<$0.01", "provider"],
    ["what was free", of({ billed_usd: "0" }), "$0.00", ""],
    ["nothing", [], "", ""],
  ])("%s", (_, points, money, source) => {
    expect(spent(total(points))).toBe(money);
    expect(sourceOf(total(points))).toBe(source);
  });
});

it("adds up by what is asked for, the dearest first", () => {
  const points = of({}, { model: "dear", billed_usd: "9" }, { model: null, ...UNKNOWN });
  expect(sums(points, (point) => keyOf(point, "model")).map((sum) => sum.key)).toEqual([
    "dear",
    "m",
    "?",
  ]);
});

describe("bars", () => {
  it("are of a day and a key, and a plan is apart from a bill", () => {
    const made = bars(of({}, { billed_usd: "1" }, PLAN, { day: "2026-12-01" }), "project");
    expect(made.bars.map((bar) => [bar.day, bar.kind, bar.usd.toFixed(2)])).toEqual([
      ["2026-11-30", "billed", "1.84"],
      ["2026-11-30", "plan", "2.00"],
      ["2026-12-01", "billed", "0.84"],
    ]);
    expect(made.unknown).toEqual([]);
  });

  it("beyond six keys the rest is one, and a day without a price says so", () => {
    const points = of(
      ...[..."abcdefgh"].map((name) => ({
        project_id: name,
        billed_usd: String(name.charCodeAt(0)),
      })),
      UNKNOWN,
    );
    const made = bars(points, "project");
    expect(made.keys).toEqual(["h", "g", "f", "e", "d", "others"]);
    expect(made.bars.filter((bar) => bar.key === "others")).toHaveLength(1);
    expect(made.unknown).toEqual(["2026-11-30"]);
  });
});

describe("the days of an address", () => {
  const NOW = Date.parse("2026-11-27T23:30:00Z");
  it.each([
    ["", "2026-11-01", "2026-11-27"],
    ["from=2026-11-20", "2026-11-20", "2026-11-27"],
    ["to=2026-10-10", "2026-10-01", "2026-10-10"],
    ["from=2026-11-20&to=2026-11-10", "2026-11-10", "2026-11-20"],
    ["from=yesterday&to=2026-13-40", "2026-11-01", "2026-11-27"],
  ])("%s", (query, from, to) => {
    expect(spanOf(new URLSearchParams(query), NOW)).toEqual({ from, to });
  });

  it("are all there, those without a bar too, and end somewhere", () => {
    expect(days({ from: "2026-11-29", to: "2026-12-02" })).toHaveLength(4);
    expect(days({ from: "1970-01-01", to: "2026-12-02" }).length).toBeLessThanOrEqual(400);
  });
});

it("a file for a spreadsheet has every digit and reckons nothing out", () => {
  const [head, row] = csv(of({ model: '=HYPERLINK("x")', ...UNKNOWN })).split("\n");
  expect(head?.startsWith("day,project_id,model")).toBe(true);
  expect(row).toContain(`"'=HYPERLINK(""x"")"`);
  expect(row?.endsWith(",,0")).toBe(true);
});

it("a price is written as the file wants it", () => {
  expect(priceLines('x"y', { input: "3", output: "15", cache_read: "", since: "2026-12-01" })).toBe(
    'prices:\n  - {model: "x\\"y", input: 3, output: 15, since: "2026-12-01"}',
  );
});

it("tokens are short", () => {
  expect([0, 210, 9400, 999_499, 999_500, 1_900_000, 12_300_000].map(tokens)).toEqual([
    "0",
    "210",
    "9k",
    "999k",
    "1.0M",
    "1.9M",
    "12M",
  ]);
});
