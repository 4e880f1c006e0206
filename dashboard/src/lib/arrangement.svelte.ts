// The lines of the first page as they stand: see zones.ts for the rules.
import { untrack } from "svelte";
import type { Row } from "./row";
import { rows } from "./rows.svelte";
import { arranged, GHOST, type Line, sorted } from "./zones";

const IDLE = 60_000;

export class Arrangement {
  lines = $state.raw<Line[]>([]);

  #last = new Map<string, Row>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #touched = Date.now();
  #begun = false;

  /** To be called from an effect: follows the rows for as long as that lives. */
  follow(): () => void {
    const touch = () => {
      this.#touched = Date.now();
    };
    const idle = setInterval(() => {
      if (Date.now() - this.#touched > IDLE) this.resort();
    }, 5000);
    for (const kind of ["pointermove", "keydown"]) addEventListener(kind, touch, { passive: true });
    return () => {
      clearInterval(idle);
      clearTimeout(this.#timer);
      for (const kind of ["pointermove", "keydown"]) removeEventListener(kind, touch);
    };
  }

  /** Take in what changed. */
  update(): void {
    const now = new Map(rows.byId);
    untrack(() => {
      this.lines = this.#begun
        ? arranged(this.lines, now, this.#last, Date.now(), underHand())
        : sorted(now.values());
      this.#begun ||= rows.loaded;
      this.#last = now;
      if (this.lines.some((line) => line.ghost !== null)) this.#again();
    });
  }

  /** Put everything in its proper order. */
  resort(): void {
    this.lines = sorted(rows.byId.values());
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.lines = arranged(this.lines, rows.byId, this.#last, Date.now(), underHand());
      if (this.lines.some((line) => line.ghost !== null)) this.#again();
    }, GHOST / 4);
  }
}

/** The session whose line the pointer or the focus is on. */
function underHand(): string | null {
  const hovered = document.querySelector<HTMLElement>("[data-session]:hover");
  const focused = document.activeElement?.closest<HTMLElement>("[data-session]");
  return (hovered ?? focused)?.dataset.session ?? null;
}
