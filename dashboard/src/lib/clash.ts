import type { Row } from "./row";

/** With whose branch this one will not merge; empty where it will with all. */
export function clash(row: Pick<Row, "conflicts">): string {
  const [first, ...rest] = row.conflicts;
  if (first === undefined) return "";
  return `conflict with ${first.with}${rest.length > 0 ? ` and ${rest.length} more` : ""}`;
}
