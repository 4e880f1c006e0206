// The life of a session to scale: each phase as wide as it was long, save that what lasted more than
// ten minutes is folded, so that one night does not hide a day.
import type { Schemas } from "./api";

type Phase = Schemas["Phase"];

export interface Span {
  phase: Phase;
  seconds: number;
  /** Its share of the line. */
  share: number;
  folded: boolean;
  goesOn: boolean;
}

const FOLD = 600;
const LEAST = 25; // seconds' width that even the shortest gets, so that it can be met

const TONES: Record<string, string> = {
  spawn: "world",
  working: "agent",
  pr: "agent",
  told: "agent",
  asks: "you",
  paused: "you",
  red: "bad",
  conflict: "bad",
  ended: "bad",
  green: "good",
  ready: "good",
  merged: "good",
  review: "world",
};

export const tone = (name: string): string => TONES[name] ?? "muted";

export function spans(phases: readonly Phase[], now: number): Span[] {
  return phases.map((phase) => {
    const ended = phase.ended === null ? now : new Date(phase.ended).getTime();
    const seconds = Math.max(0, (ended - new Date(phase.began).getTime()) / 1000);
    const folded = seconds > FOLD;
    return {
      phase,
      seconds,
      share: Math.max(LEAST, Math.min(seconds, FOLD)),
      folded,
      goesOn: phase.ended === null,
    };
  });
}
