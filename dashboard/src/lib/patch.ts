// A patch as git writes it, read into rows. Nothing here knows a file's name: that is the list's to
// say, for names in a patch are quoted in more ways than one.

export type Kind = "same" | "added" | "removed";

export interface Line {
  kind: Kind;
  /** Its number before and after; null where it is not there. */
  old: number | null;
  new: number | null;
  text: string;
  /** git says of it that no line end follows. */
  open: boolean;
}

export interface Hunk {
  header: string;
  /** What git found above it: the function, the heading. */
  context: string;
  lines: Line[];
}

const HEADER = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;

/** The hunks of one file's patch; what stands before the first of them tells of no lines. */
export function hunksOf(patch: string): Hunk[] {
  const hunks: Hunk[] = [];
  let hunk: Hunk | null = null;
  let before = 0;
  let after = 0;
  const rows = patch.split("\n");
  if (rows.at(-1) === "") rows.pop();
  for (const row of rows) {
    const header = HEADER.exec(row);
    if (header) {
      [before, after] = [Number(header[1]), Number(header[2])];
      hunk = {
        header: row.slice(0, row.lastIndexOf("@@") + 2),
        context: header[3] ?? "",
        lines: [],
      };
      hunks.push(hunk);
      continue;
    }
    if (hunk === null) continue;
    const text = row.slice(1);
    if (row[0] === "+") hunk.lines.push(line("added", null, after++, text));
    else if (row[0] === "-") hunk.lines.push(line("removed", before++, null, text));
    else if (row[0] === "\\") {
      const last = hunk.lines.at(-1);
      if (last) last.open = true;
    } else hunk.lines.push(line("same", before++, after++, text));
  }
  return hunks;
}

const line = (kind: Kind, old: number | null, now: number | null, text: string): Line => ({
  kind,
  old,
  new: now,
  text,
  open: false,
});

export interface Pair {
  left: Line | null;
  right: Line | null;
}

/** The lines of a hunk side by side: what went beside what came. */
export function paired(lines: Line[]): Pair[] {
  const pairs: Pair[] = [];
  for (const [gone, came, same] of runs(lines)) {
    for (let at = 0; at < Math.max(gone.length, came.length); at++)
      pairs.push({ left: gone[at] ?? null, right: came[at] ?? null });
    if (same) pairs.push({ left: same, right: same });
  }
  return pairs;
}

/** Which removed line an added one took the place of, by its place in its run. */
export function partners(lines: Line[]): Map<Line, Line> {
  const found = new Map<Line, Line>();
  for (const [gone, came] of runs(lines)) {
    if (gone.length !== came.length) continue; // nobody knows which became which
    gone.forEach((before, at) => {
      const after = came[at] as Line;
      found.set(before, after).set(after, before);
    });
  }
  return found;
}

type Run = [gone: Line[], came: Line[], same: Line | null];

function* runs(lines: Line[]): Generator<Run> {
  let gone: Line[] = [];
  let came: Line[] = [];
  for (const one of lines) {
    if (one.kind === "removed") gone.push(one);
    else if (one.kind === "added") came.push(one);
    else {
      yield [gone, came, one];
      [gone, came] = [[], []];
    }
  }
  yield [gone, came, null];
}
