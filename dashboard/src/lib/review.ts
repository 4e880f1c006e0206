// Reviews in the short words of all faces, and in long ones for titles.
const SHORT: Record<string, string> = {
  approved: "ok",
  changes_requested: "chg",
  required: "req",
};
const LONG: Record<string, string> = {
  approved: "approved",
  changes_requested: "changes are requested",
  required: "a review is wanted",
};

export const reviewMark = (review: string | null): string =>
  review === null || review === "none" ? "" : (SHORT[review] ?? review);

export const reviewInWords = (review: string | null): string =>
  review === null || review === "none" ? "no review" : (LONG[review] ?? review);

export const reviewTone = (review: string | null): string =>
  review === "approved" ? "good" : review === "changes_requested" ? "bad" : "muted";
