// How a machine on which agents work is shown.
import type { Schemas } from "./api";

export type Machine = Schemas["Node"];

const WORDS: Record<Machine["state"], string> = {
  here: "this machine",
  unknown: "not asked yet",
  idle: "idle",
  connecting: "connecting",
  deploying: "its node is put there",
  connected: "connected",
  unreachable: "unreachable",
  refused: "refused",
  disconnected: "disconnected",
};

/** What stands beside its name. */
export function stateOf(node: Machine): string {
  return node.kind === "stranger" ? "unknown here" : WORDS[node.state];
}

/** Its mark and the class of it: never colour alone. */
export function markOf(node: Machine): { sign: string; tone: "good" | "bad" | "muted" } {
  if (node.kind === "stranger") return { sign: "?", tone: "bad" };
  if (node.state === "unreachable" || node.state === "refused") return { sign: "!", tone: "bad" };
  if (node.error && (node.state === "here" || node.state === "connected"))
    return { sign: "!", tone: "bad" };
  if (node.state === "here" || node.state === "connected") return { sign: "●", tone: "good" };
  return { sign: "○", tone: "muted" };
}

/** What its trouble is called; empty for words that tell of none. */
export function troubleOf(node: Machine): string {
  if (node.kind === "stranger") return "? no signal:";
  if (node.state === "refused") return "! refused:";
  if (node.state === "unreachable") return "! no answer:";
  return node.state === "here" || node.state === "connected" ? "! trouble:" : "";
}

/** Whether somebody is just connecting to it. */
export function underWay(node: Machine): boolean {
  return node.state === "connecting" || node.state === "deploying";
}

/** Whether how it is may change any moment: somebody connects to it, or it is tried again. */
export function unsettled(node: Machine): boolean {
  return underWay(node) || node.state === "unreachable" || node.state === "refused";
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
/** Bytes, for people. */
export function size(bytes: number | null | undefined): string {
  if (bytes == null) return "?";
  let [amount, unit] = [bytes, 0];
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${UNITS[unit]}`;
}

/** Seconds, for people. */
export function took(seconds: number | null | undefined): string {
  if (seconds == null) return "?";
  return seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(1)} s`;
}
