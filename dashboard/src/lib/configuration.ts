// The configuration as it holds, value by value, in groups that one can read.

export interface ConfigValue {
  path: string;
  value: unknown;
  source: "file" | "environment" | "derived" | "default";
  line: number | null;
  variables: string[];
  follows: string | null;
}

export interface Group {
  name: string;
  values: ConfigValue[];
  /** A path without what the name of the group says already. */
  short: (path: string) => string;
}

const ITEM = /^(projects|notifiers)\[\d+\]/;

export type Names = ReadonlyMap<string, string>;

/** What each project and each channel is called, by its place. */
export function namesOf(values: readonly ConfigValue[]): Names {
  const found = new Map<string, string>();
  for (const { path, value } of values)
    if (/^(projects|notifiers)\[\d+\]\.name$/.test(path))
      found.set(path.slice(0, -".name".length), String(value));
  return found;
}

/** Each project and each channel apart, then each mapping at the top; what stands there alone first. */
export function groups(values: readonly ConfigValue[], names: Names): Group[] {
  const found = new Map<string, ConfigValue[]>();
  for (const one of values) {
    const prefix = prefixOf(one.path);
    const mine = found.get(prefix);
    if (mine) mine.push(one);
    else found.set(prefix, [one]);
  }
  const sorted = [...found].sort(([a], [b]) => rank(a) - rank(b));
  return sorted.map(([prefix, mine]) => ({
    name: nameOf(prefix, names.get(prefix)),
    values: mine,
    short: (path) => path.slice(prefix.length).replace(/^\./, "") || path,
  }));
}

function prefixOf(path: string): string {
  const item = ITEM.exec(path);
  if (item) return item[0];
  const top = path.split(/[.[]/, 1)[0] as string;
  return top === path ? "" : top;
}

function rank(prefix: string): number {
  if (prefix === "") return 0;
  return prefix.startsWith("projects[") ? 1 : 2;
}

function nameOf(prefix: string, name: string | undefined): string {
  if (prefix === "") return "The whole file";
  if (prefix.startsWith("projects[")) return `Project ${name ?? prefix}`;
  if (prefix.startsWith("notifiers[")) return `Channel ${name ?? prefix}`;
  return prefix;
}

/** Whether a key or a value has this in it; the name of a project finds all that is said of it. */
export function matches(one: ConfigValue, q: string, names: Names): boolean {
  const text = q.trim().toLowerCase();
  const name = names.get(prefixOf(one.path));
  return (
    text === "" ||
    one.path.toLowerCase().includes(text) ||
    words(one.value).toLowerCase().includes(text) ||
    (name?.toLowerCase() === text && one.source !== "default")
  );
}

export function words(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value === "" ? '""' : value;
  if (Array.isArray(value) && value.every((one) => typeof one === "string"))
    return value.length > 0 ? value.join("\n") : "none";
  return JSON.stringify(value);
}

/** `line 12`, `line 12, $TOKEN`, `$DATABASE_URL`, `as defaults.agent`, `default`. */
export function from(one: ConfigValue): string {
  const parts = [];
  if (one.line !== null) parts.push(`line ${one.line}`);
  for (const name of one.variables) parts.push(`$${name}`);
  if (one.follows !== null) parts.push(`as ${one.follows}`);
  return parts.join(", ") || "default";
}
