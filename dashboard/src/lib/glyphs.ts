// The marks of all faces: text, one cell wide, none of them an emoji; each stands beside its word.
import type { Checks, Row, Turn } from "./row";
import { silent } from "./row";

const OF_TURN: Record<Turn, string> = { you: "◆", agent: "►", world: "◦", over: "✓" };

export function glyph(row: Row): string {
  if (row.turn === "over") return row.word === "merged" || row.word === "done" ? "✓" : "■";
  if (row.word === "held") return "‖";
  return OF_TURN[row.turn] ?? "◦";
}

export const TURN_NAMES: Record<Turn, string> = {
  you: "your turn",
  agent: "agent's turn",
  world: "world's turn",
  over: "over",
};

export function turnInWords(row: Row): string {
  return `${TURN_NAMES[row.turn] ?? row.turn}: ${row.word}${silent(row) ? ", no signal" : ""}`;
}

export function checksMark(checks: Checks | null): string {
  if (checks === null) return "–";
  const all = checks.passing + checks.failing + checks.pending;
  if (all === 0) return "–";
  if (checks.failing > 0) return `✗ ${checks.failing}/${all}`;
  return checks.pending > 0 ? `◦ ${checks.pending}/${all}` : `✓ ${all}`;
}

export function checksInWords(checks: Checks | null): string {
  if (checks === null) return "no checks";
  return `${checks.passing} passed, ${checks.failing} failed, ${checks.pending} pending`;
}

export function checksTone(checks: Checks | null): string {
  if (checks === null) return "muted";
  if (checks.failing > 0) return "bad";
  return checks.pending > 0 ? "world" : "good";
}
