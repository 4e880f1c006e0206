// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { placeOf } from "../src/lib/router.svelte";

test("every address shows one thing, and what is none says so", () => {
  expect(placeOf("/")).toEqual({ view: "now", project: null });
  expect(placeOf("/p/my-app/")).toEqual({ view: "now", project: "my-app" });
  expect(placeOf("/s/ma-1")).toEqual({ view: "session", id: "ma-1", tab: null });
  expect(placeOf("/s/ma-1/diff")).toEqual({ view: "session", id: "ma-1", tab: "diff" });
  expect(placeOf("/spend")).toEqual({ view: "spend" });
  for (const path of ["/s/", "/s/ma-1/else", "/s/a%20b", "/p/a&b", "//evil", "/spend/x"])
    expect(placeOf(path).view, path).toBe("unknown");
});
