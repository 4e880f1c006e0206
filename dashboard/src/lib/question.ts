// The question of an agent without the choices at its end, which are shown as buttons beside it.
import type { Row } from "./row";

const CHOICES = /\s*(?:any of )?\[((?:\d+\. [^\]]*))\]\s*$/;

export interface Question {
  text: string;
  options: string[];
}

export function questionOf(row: Row): Question | null {
  if (!row.question) return null;
  const told = row.options ?? [];
  const listed = CHOICES.exec(row.question);
  const text = listed ? row.question.slice(0, listed.index) : row.question;
  if (told.length > 0) return { text, options: [...told] };
  if (listed === null || row.question.includes("any of ["))
    return { text: row.question, options: [] };
  return {
    text,
    options: (listed[1] as string).split(" / ").map((one) => one.replace(/^\d+\. /, "")),
  };
}
