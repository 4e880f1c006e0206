/** So many characters from the beginning of a text, at most; none of them is cut in halves. */
export function beginning(text: string, most: number): string {
  return text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "");
}
