import { expect, test, vi } from "vitest";
import { persist, Refusal } from "../src/lib/api";
import { newKey } from "../src/lib/key";

function failing(times: number, refusal: Refusal): () => Promise<string> {
  return async () => {
    times -= 1;
    if (times >= 0) throw refusal;
    return "done";
  };
}

test("what got no answer is sent again, and what was refused is not", async () => {
  vi.useFakeTimers();
  const silent = new Refusal(0, "Ennio does not answer");
  const sent = persist(failing(3, silent));
  await vi.runAllTimersAsync();
  expect(await sent).toBe("done");
  await expect(persist(failing(1, new Refusal(409, "it asks nothing")))).rejects.toThrow("asks");
  const given = expect(persist(failing(99, silent))).rejects.toThrow("does not answer");
  await vi.runAllTimersAsync();
  await given;
  vi.useRealTimers();
});

test("a key is made where a page was not loaded safely, too", () => {
  const { randomUUID } = crypto;
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  const keys = new Set([newKey(), newKey()]);
  Object.defineProperty(crypto, "randomUUID", { value: randomUUID, configurable: true });
  expect([...keys].filter((key) => /^[0-9a-f]{32}$/.test(key))).toHaveLength(2);
});
