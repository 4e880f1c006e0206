import { describe, expect, it } from "vitest";
import { type Machine, unsettled } from "../src/lib/machines";

const at = (state: Machine["state"]) => ({ state }) as Machine;

describe("a machine that may be otherwise any moment", () => {
  it("is read often while it is in trouble, so that what is over is not shown on", () => {
    const may = ["unreachable", "refused", "connecting", "deploying"] as const;
    const settled = ["here", "connected", "idle", "disconnected", "unknown"] as const;
    expect(may.map(at).every(unsettled)).toBe(true);
    expect(settled.map(at).some(unsettled)).toBe(false);
  });
});
