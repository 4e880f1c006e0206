// All that the palette can do: go somewhere, open a session, or do something about the current one,
// each with the line of the command line that does the same.
import { dialogs } from "./dialogs.svelte";
import { glyph } from "./glyphs";
import { router } from "./router.svelte";
import type { Row } from "./row";

export interface Command {
  id: string;
  mark: string;
  tone: string;
  says: string;
  detail: string;
  line: string;
  run: () => void;
}

const VIEWS: [string, string, string][] = [
  ["/", "Go to Now", "ennio status"],
  ["/projects", "Go to Projects", "ennio session list"],
  ["/spend", "Go to Spend", "ennio cost"],
  ["/nodes", "Go to Nodes", "ennio node list"],
  ["/events", "Go to Events", "ennio events"],
  ["/settings", "Go to Settings", "ennio config show"],
];

const plain = (id: string, says: string, line: string, run: () => void): Command => ({
  id,
  mark: "",
  tone: "muted",
  says,
  detail: "",
  line,
  run,
});

export function places(): Command[] {
  return [
    ...VIEWS.map(([to, says, line]) => plain(`go ${to}`, says, line, () => router.go(to))),
    plain("spawn", "New session…", 'ennio spawn PROJECT -p "…"', () => dialogs.open("spawn")),
    plain("help", "Keys and marks", "ennio --help", () => dialogs.open("help")),
  ];
}

export const opening = (row: Row): Command => ({
  id: `open ${row.id}`,
  mark: glyph(row),
  tone: row.turn,
  says: row.title,
  detail: `${row.word} · ${row.project_id} · ${row.id}`,
  line: `ennio session info ${row.id}`,
  run: () => router.go(`/s/${row.id}`),
});

/** How well words fit: all of them must be there, and beginnings of words count more. 0: not at all. */
export function fit(command: Command, text: string): number {
  const hay = `${command.says} ${command.detail} ${command.line}`.toLowerCase();
  let points = 1;
  for (const term of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = hay.indexOf(term);
    if (at < 0) return 0;
    points += at === 0 || /\W/.test(hay[at - 1] ?? "") ? 2 : 1;
  }
  return points;
}
