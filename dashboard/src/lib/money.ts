// Money in the words of all faces: `$0.84`, `~$0.84` when estimated here, `plan` when nobody is billed,
// `?` when there is no price. Never `$0` for what is not known.
import type { Cost } from "./row";

/** An amount of dollars that the API gives as decimal text. */
export function dollars(amount: string | number | null | undefined): string {
  const number = amount == null || amount === "" ? Number.NaN : Number(amount);
  if (Number.isNaN(number)) return "?";
  if (number > 0 && number < 0.005) return "<$0.01";
  return `$${number.toFixed(2)}`;
}

export function money(cost: Cost | null): string {
  if (cost === null) return "";
  if (cost.billing === "plan") return "plan";
  if (cost.amount === null) return "?";
  const written = dollars(cost.amount);
  return cost.source === "local" ? `~${written}` : written;
}

/** Who says so, beside an amount. */
export function moneySource(cost: Cost | null): string {
  if (cost === null) return "nothing used yet";
  if (cost.billing === "plan") return moneyInWords(cost);
  if (cost.amount === null) return "no price is known for its model";
  return cost.source === "local" ? "estimated here by list prices" : "as the provider says";
}

/** The same in words, for a title and for those who hear it. */
export function moneyInWords(cost: Cost | null): string {
  if (cost === null) return "nothing used yet";
  if (cost.billing === "plan") {
    const listed = cost.amount === null ? "" : `; at list price ${dollars(cost.amount)}`;
    return `covered by a plan, not billed${listed}`;
  }
  if (cost.amount === null) return "no price is known for its model";
  return cost.source === "local"
    ? `${dollars(cost.amount)}, estimated here by list prices`
    : `${dollars(cost.amount)}, as the provider says`;
}
