// What points of spending come to, honestly: what is not known stays unknown, what a plan gave is no
// bill, and what was reckoned here from a list of prices says so.
import type { Schemas } from "./api";
import { dollars } from "./money";

export type Point = Schemas["Spend"]["points"][number];
export const KEYS = ["project", "model", "session"] as const;
export type Key = (typeof KEYS)[number];

export interface Sum {
  key: string;
  requests: number;
  /** Requests that somebody pays for and whose money nobody knows. */
  unknown: number;
  /** The same of plans. */
  unlisted: number;
  input: number;
  output: number;
  cached: number;
  billed: number;
  listed: number;
  local: boolean;
  provider: boolean;
}

export const UNNAMED = "?";

export function keyOf(point: Point, by: Key): string {
  if (by === "project") return point.project_id;
  return (by === "model" ? point.model : point.session_id) ?? UNNAMED;
}

function nothing(key: string): Sum {
  return {
    key,
    requests: 0,
    unknown: 0,
    unlisted: 0,
    input: 0,
    output: 0,
    cached: 0,
    billed: 0,
    listed: 0,
    local: false,
    provider: false,
  };
}

function add(sum: Sum, point: Point): void {
  const billed = Number(point.billed_usd ?? 0);
  sum.requests += point.requests;
  sum.unknown += point.unpriced_requests - point.unlisted_requests;
  sum.unlisted += point.unlisted_requests;
  sum.input += point.input_tokens;
  sum.output += point.output_tokens;
  sum.cached += point.cache_read_tokens;
  sum.billed += billed;
  sum.listed += Number(point.listed_usd ?? 0);
  if (billed > 0) sum[point.source === "local" ? "local" : "provider"] = true;
}

/** One sum for each key, the dearest first; of those that cost the same, the most used. */
export function sums(points: readonly Point[], by: (point: Point) => string): Sum[] {
  const found = new Map<string, Sum>();
  for (const point of points) {
    const key = by(point);
    const sum = found.get(key) ?? nothing(key);
    add(sum, point);
    found.set(key, sum);
  }
  return [...found.values()].sort(
    (a, b) =>
      b.billed - a.billed || b.listed - a.listed || b.input - a.input || a.key.localeCompare(b.key),
  );
}

export function total(points: readonly Point[]): Sum {
  return sums(points, () => "total")[0] ?? nothing("total");
}

/** `~$0.84`, `$0.84 + ?`, `?`, `plan`, `~$0.84 + plan`; nothing where nothing was used. */
export function spent(sum: Sum): string {
  if (sum.requests === 0) return "";
  const onPlan = sum.listed > 0 || sum.unlisted > 0;
  const parts = [];
  if (sum.billed > 0) parts.push(`${sum.local ? "~" : ""}${dollars(sum.billed)}`);
  if (sum.unknown > 0) parts.push("?");
  if (onPlan) parts.push("plan");
  return parts.length > 0 ? parts.join(" + ") : "$0.00";
}

/** The same for those who hear it, and for a title. */
export function spentInWords(sum: Sum): string {
  if (sum.requests === 0) return "nothing was used";
  const parts = [];
  if (sum.billed > 0)
    parts.push(
      `${dollars(sum.billed)} billed${sum.local ? ", estimated here by list prices" : ""}`,
    );
  if (sum.unknown > 0) parts.push(`${many(sum.unknown, "request")} of which nobody knows a price`);
  if (sum.listed > 0) parts.push(`covered by a plan, ${dollars(sum.listed)} at list price`);
  if (sum.unlisted > 0)
    parts.push(`${many(sum.unlisted, "request")} on a plan without a list price`);
  return parts.join("; ") || "nothing was billed";
}

export function sourceOf(sum: Sum): string {
  const parts = [];
  if (sum.local) parts.push("local");
  if (sum.provider) parts.push("provider");
  if (sum.unknown + sum.unlisted > 0) parts.push("no price");
  if (parts.length === 0 && sum.listed > 0) parts.push("list price");
  return parts.join(", ");
}

export function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** `1.9M`, `84k`, `210`. */
export function tokens(count: number): string {
  if (count >= 9_950_000) return `${Math.round(count / 1_000_000)}M`;
  if (count >= 999_500) return `${(count / 1_000_000).toFixed(1)}M`;
  if (count >= 1000) return `${Math.round(count / 1000)}k`;
  return String(count);
}

/** The part of what was sent that a cache gave. */
export function cachedPart(sum: Sum): string {
  return sum.input === 0 ? "" : `${Math.round((100 * sum.cached) / sum.input)} %`;
}

// --- days of UTC, as the books count them -------------------------------------------------------

const DAY = 86_400_000;
const IS_DAY = /^\d{4}-\d{2}-\d{2}$/;

export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

export const isDay = (text: string | null): text is string =>
  text !== null && IS_DAY.test(text) && !Number.isNaN(Date.parse(text));

export interface Span {
  from: string;
  to: string;
}

/** The days an address asks for: this month where it asks for none, or for what is none. */
export function spanOf(query: URLSearchParams, now: number): Span {
  const today = dayOf(now);
  const [from, to] = [query.get("from"), query.get("to")];
  const until = isDay(to) ? to : today;
  const since = isDay(from) ? from : `${until.slice(0, 8)}01`;
  return since <= until ? { from: since, to: until } : { from: until, to: since };
}

export function lately(days: number, now: number): Span {
  return { from: dayOf(now - (days - 1) * DAY), to: dayOf(now) };
}

const MOST_DAYS = 400;

/** Every day of a span, those without a bar too. */
export function days(span: Span): string[] {
  const found = [];
  const end = Date.parse(span.to);
  for (let at = Date.parse(span.from); at <= end && found.length < MOST_DAYS; at += DAY)
    found.push(dayOf(at));
  return found;
}

// --- the bars -----------------------------------------------------------------------------------

const OTHERS = "others";
const MOST = 5;

export interface Bar {
  day: string;
  key: string;
  /** The place of its key in the legend. */
  index: number;
  kind: "billed" | "plan";
  usd: number;
}

export interface Bars {
  bars: Bar[];
  /** The names of the legend; beyond five of them the rest is one. */
  keys: string[];
  /** Days on which something was used of which nobody knows a price. */
  unknown: string[];
}

export function bars(points: readonly Point[], by: Key): Bars {
  const ranked = sums(points, (point) => keyOf(point, by)).map((sum) => sum.key);
  const keys = ranked.length > MOST + 1 ? [...ranked.slice(0, MOST), OTHERS] : ranked;
  const known = new Map(keys.map((key, index) => [key, index]));
  const place = (point: Point) => known.get(keyOf(point, by)) ?? keys.length - 1;
  const found = new Map<string, Bar>();
  const unknown = new Set<string>();
  for (const point of points) {
    if (point.unpriced_requests > 0) unknown.add(point.day);
    for (const [kind, amount] of [
      ["billed", point.billed_usd],
      ["plan", point.listed_usd],
    ] as const) {
      const usd = Number(amount ?? 0);
      if (usd === 0) continue;
      const index = place(point);
      const id = `${point.day} ${index} ${kind}`;
      const bar = found.get(id) ?? {
        day: point.day,
        key: keys[index] as string,
        index,
        kind,
        usd: 0,
      };
      bar.usd += usd;
      found.set(id, bar);
    }
  }
  const order = (bar: Bar) => bar.index * 2 + (bar.kind === "plan" ? 1 : 0);
  const sorted = [...found.values()].sort(
    (a, b) => a.day.localeCompare(b.day) || order(a) - order(b),
  );
  return { bars: sorted, keys, unknown: [...unknown].sort() };
}

// --- what leaves the page -----------------------------------------------------------------------

const COLUMNS = [
  "day",
  "project_id",
  "model",
  "source",
  "session_id",
  "requests",
  "unpriced_requests",
  "unlisted_requests",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "billed_usd",
  "listed_usd",
] as const satisfies (keyof Point)[];

/** Every digit; what is not known is left empty, and a spreadsheet reckons nothing out. */
export function csv(points: readonly Point[]): string {
  const lines = [COLUMNS.join(",")];
  for (const point of points) lines.push(COLUMNS.map((name) => cell(point[name])).join(","));
  return `${lines.join("\n")}\n`;
}

function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What a person writes into the file for a model without a price. */
export function priceLines(model: string, given: Record<string, string>): string {
  const parts = [`model: ${JSON.stringify(model)}`];
  for (const [name, value] of Object.entries(given))
    if (value !== "") parts.push(`${name}: ${isDay(value) ? JSON.stringify(value) : value}`);
  return `prices:\n  - {${parts.join(", ")}}`;
}
