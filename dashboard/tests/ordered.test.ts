import { expect, test } from "vitest";
import { ordered } from "../src/lib/ordered";

test("what reorders a text is shown, and everything else stays", () => {
  expect(ordered("if (a\u202E) {\u2066 // ok")).toBe("if (a⟨U+202E⟩) {⟨U+2066⟩ // ok");
  expect(ordered("שלום, مرحبا, 語 é 👍\t\u001b[31m")).toBe("שלום, مرحبا, 語 é 👍\t\u001b[31m");
});
