// A log as the lines that are shown of it.

export interface LogLine {
  number: number;
  text: string;
}

/** The lines of parts that follow each other. A line longer than a part comes in several of them. */
export function linesOf(parts: readonly { line: number; text: string }[]): LogLine[] {
  const found: LogLine[] = [];
  for (const part of parts) {
    const lines = part.text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    lines.forEach((text, at) => {
      const last = found.at(-1);
      if (last?.number === part.line + at) last.text += text;
      else found.push({ number: part.line + at, text });
    });
  }
  return found;
}
