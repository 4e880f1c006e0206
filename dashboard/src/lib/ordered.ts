const REORDERS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** A stranger's text as it is written: what would have it shown in another order is shown itself,
 *  so that code and names read as they run. */
export function ordered(text: string): string {
  return text.replace(
    REORDERS,
    (one) => `⟨U+${one.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}⟩`,
  );
}
