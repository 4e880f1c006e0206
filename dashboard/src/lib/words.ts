// Which words of a line are other ones than in the line that it took the place of.
import { diffWordsWithSpace } from "diff";

export interface Part {
  text: string;
  marked: boolean;
}

const LONGEST = 400; // characters; of longer lines nobody wants to know it word by word

/** Both lines in parts; null where they have too little in common for it to tell anything. */
export function wordsOf(before: string, after: string): [Part[], Part[]] | null {
  if (before.length > LONGEST || after.length > LONGEST || before === after) return null;
  const left: Part[] = [];
  const right: Part[] = [];
  let kept = 0;
  for (const change of diffWordsWithSpace(before, after)) {
    if (!change.added) left.push({ text: change.value, marked: change.removed });
    if (!change.removed) right.push({ text: change.value, marked: change.added });
    if (!change.added && !change.removed) kept += change.value.trim().length;
  }
  const shorter = Math.min(before.trim().length, after.trim().length);
  return kept * 3 >= shorter ? [left, right] : null;
}
