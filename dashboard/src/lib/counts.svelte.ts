// How many sessions each has the turn of.

import type { Turn } from "./row";
import { rows } from "./rows.svelte";

export function count(turn: Turn): number {
  let found = 0;
  for (const row of rows.byId.values()) if (row.turn === turn) found += 1;
  return found;
}

export const yours = (): number => count("you");
