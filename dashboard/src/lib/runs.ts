// How a run of letters looks, as style: the palette is the page's own, so that both themes have
// contrast enough; what is reversed takes the page's colours the other way round.
import type { Run } from "./terminal.svelte";

const CUBE = [0, 95, 135, 175, 215, 255];

function colour(value: number | string | undefined): string | null {
  if (value === undefined) return null;
  if (typeof value === "string") return /^#[0-9a-f]{6}$/.test(value) ? value : null;
  if (value < 16) return `var(--ansi-${value})`;
  if (value < 232) {
    const at = value - 16;
    const part = (size: number): number => CUBE[Math.floor(at / size) % 6] ?? 0;
    return `rgb(${part(36)} ${part(6)} ${part(1)})`;
  }
  const gray = 8 + 10 * (value - 232);
  return `rgb(${gray} ${gray} ${gray})`;
}

export function style(run: Run): string {
  const marks = run.s ?? "";
  let front = colour(run.f);
  let ground = colour(run.b);
  if (marks.includes("r")) [front, ground] = [ground ?? "var(--bg)", front ?? "var(--text)"];
  const lines = [marks.includes("u") && "underline", marks.includes("x") && "line-through"];
  const drawn = lines.filter(Boolean).join(" ");
  return [
    front && `color:${front}`,
    ground && `background:${ground}`,
    marks.includes("b") && "font-weight:700",
    marks.includes("i") && "font-style:italic",
    marks.includes("d") && "opacity:.75",
    drawn && `text-decoration:${drawn}`,
  ]
    .filter(Boolean)
    .join(";");
}
