import { expect, it } from "vitest";
import { type ConfigValue, from, groups, matches, namesOf, words } from "../src/lib/configuration";

const value = (path: string, given: unknown, more: Partial<ConfigValue> = {}): ConfigValue => ({
  path,
  value: given,
  source: "file",
  line: 1,
  variables: [],
  follows: null,
  ...more,
});
const VALUES = [
  value("port", 3000),
  value("projects[0].name", "My App"),
  value("projects[0].reactions.ci-failed.retries", 4),
  value("projects[10].name", "Other"),
  value("budgets[0].scope", "global"),
  value("host", "127.0.0.1", { source: "default", line: null }),
];

it("stands in groups with what the group says left out", () => {
  const made = groups(VALUES, namesOf(VALUES));
  expect(made.map((group) => group.name)).toEqual([
    "The whole file",
    "Project My App",
    "Project Other",
    "budgets",
  ]);
  expect(made[1]?.values.map((one) => made[1]?.short(one.path))).toEqual([
    "name",
    "reactions.ci-failed.retries",
  ]);
});

it("is found by key, by value and by the name of a project", () => {
  const found = (q: string) =>
    VALUES.filter((one) => matches(one, q, namesOf(VALUES))).map((one) => one.path);
  expect(found("RETRIES")).toEqual(["projects[0].reactions.ci-failed.retries"]);
  expect(found("127")).toEqual(["host"]);
  expect(found("my app")).toEqual(["projects[0].name", "projects[0].reactions.ci-failed.retries"]);
});

it("says where it comes from", () => {
  expect(from(value("a", 1))).toBe("line 1");
  expect(from(value("a", 1, { variables: ["TOKEN"] }))).toBe("line 1, $TOKEN");
  expect(from(value("a", 1, { line: null, variables: ["DATABASE_URL"] }))).toBe("$DATABASE_URL");
  expect(from(value("a", 1, { line: 3, follows: "defaults.agent" }))).toBe(
    "line 3, as defaults.agent",
  );
  expect(from(value("a", 1, { line: null }))).toBe("default");
});

it("shows nothing as nothing, and not as a word", () => {
  expect([null, "", [], ["a", "b"], {}, 0, false].map(words)).toEqual([
    "–",
    '""',
    "none",
    "a\nb",
    "{}",
    "0",
    "false",
  ]);
});
