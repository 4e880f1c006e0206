import { expect, test } from "vitest";
import { Blocks } from "../src/lib/stream";

test("blocks are read whatever pieces they come in", () => {
  const text = 'retry: 2000\nid: 7\n\nid: 8\nevent: x\ndata: {"seq": 8}\n\n: still here\nid: 9\n\n';
  for (const size of [1, 3, 7, text.length]) {
    const blocks = new Blocks();
    const found = [];
    for (let at = 0; at < text.length; at += size)
      found.push(...blocks.take(text.slice(at, at + size)));
    expect(found).toEqual([
      { id: 7, data: null },
      { id: 8, data: '{"seq": 8}' },
      { id: 9, data: null },
    ]);
  }
});
