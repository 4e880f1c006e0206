// The title of the page: how many wait for the person first, then what is shown.
import { yours } from "./counts.svelte";

export function titled(what = ""): string {
  const waiting = yours();
  return `${waiting > 0 ? `(${waiting}) ` : ""}${what === "" ? "" : `${what} · `}Ennio`;
}
