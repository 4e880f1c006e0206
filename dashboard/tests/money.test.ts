import { expect, test } from "vitest";
import { money } from "../src/lib/money";

test("money says what is estimated, what is a plan's, and what nobody knows", () => {
  expect(money({ amount: "0.84", source: "provider", billing: "metered" })).toBe("$0.84");
  expect(money({ amount: "0.84", source: "local", billing: "metered" })).toBe("~$0.84");
  expect(money({ amount: "0.84", source: "local", billing: "plan" })).toBe("plan");
  expect(money({ amount: null, source: "local", billing: "metered" })).toBe("?");
  expect(money(null)).toBe("");
});
