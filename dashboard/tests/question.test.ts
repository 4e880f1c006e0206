import { expect, test } from "vitest";
import { questionOf } from "../src/lib/question";
import type { Row } from "../src/lib/row";

const asked = (question: string | null, options: string[] = []) =>
  questionOf({ question, options } as unknown as Row);

test("choices at the end of a question become its options", () => {
  expect(asked("Run it? [1. Yes / 2. No]")).toEqual({ text: "Run it?", options: ["Yes", "No"] });
  expect(asked("Run it? [1. Yes / 2. No]", ["Yes", "No"])).toEqual({
    text: "Run it?",
    options: ["Yes", "No"],
  });
  expect(asked("What is its name?")).toEqual({ text: "What is its name?", options: [] });
  expect(asked(null)).toBeNull();
});

test("of several choices at once none is offered as the one", () => {
  expect(asked("Which? any of [1. A / 2. B]")?.options).toEqual([]);
});
