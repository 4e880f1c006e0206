// The events that a view shows, newest first: a page from the log, older pages behind it, and what
// happens meanwhile, which is held back while somebody reads.
import { api, Refusal, whole } from "./api";
import { fits, type Wanted } from "./folding";
import { live } from "./live.svelte";
import type { StreamEvent } from "./stream";

const PAGE = 200;
const MOST = 2000;
const AROUND = 40;
const TOGETHER = 200; // milliseconds: what happens within is shown at once, however much it is

export class EventLog {
  shown = $state.raw<StreamEvent[]>([]);
  waiting = $state.raw<StreamEvent[]>([]);
  /** Whether there are older ones behind the last. */
  more = $state.raw(false);
  loaded = $state.raw(false);
  asking = $state.raw(false);
  problem = $state.raw<Refusal | null>(null);

  #wanted: Wanted = { type: null, session: null, project: null, priority: null, text: null };
  #holds: () => boolean;
  #turn = 0;
  #came: StreamEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(holds: () => boolean) {
    this.#holds = holds;
  }

  /** Take in what happens; returns how to stop it. */
  listen(): () => void {
    const stops = [
      live.on((event) => this.#take(event)),
      live.onAnew(() => void this.begin(this.#wanted, null)),
    ];
    return () => {
      for (const stop of stops) stop();
      if (this.#timer !== null) clearTimeout(this.#timer);
    };
  }

  /** Read the newest ones that are wanted; around one of them where its seq is given. */
  async begin(wanted: Wanted, seq: number | null): Promise<void> {
    this.#wanted = wanted;
    this.waiting = [];
    this.#came = [];
    const turn = ++this.#turn;
    this.asking = true;
    try {
      const page = await this.#page(seq === null ? {} : { before: seq + AROUND });
      if (turn !== this.#turn) return;
      this.shown = page.events;
      this.more = page.more;
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      if (turn === this.#turn) this.#fail(error);
    }
    if (turn === this.#turn) this.asking = false;
  }

  /** Read the page behind the oldest one. */
  async older(): Promise<void> {
    const last = this.shown.at(-1);
    if (last === undefined || this.asking || !this.more) return;
    const turn = this.#turn;
    this.asking = true;
    try {
      const page = await this.#page({ before: last.seq });
      if (turn !== this.#turn) return;
      this.shown = [...this.shown, ...page.events];
      this.more = page.more;
      this.problem = null;
    } catch (error) {
      this.#fail(error);
    }
    this.asking = false;
  }

  /** Show what was held back. */
  release(): void {
    if (this.waiting.length === 0) return;
    this.shown = [...this.waiting, ...this.shown].slice(0, MOST);
    this.waiting = [];
  }

  #take(event: StreamEvent): void {
    if (!fits(event, this.#wanted)) return;
    this.#came.push(event);
    this.#timer ??= setTimeout(() => this.#put(), TOGETHER);
  }

  #put(): void {
    this.#timer = null;
    if (!this.loaded || this.asking) {
      this.#timer = setTimeout(() => this.#put(), TOGETHER);
      return;
    }
    const last = Math.max(this.shown[0]?.seq ?? 0, this.waiting[0]?.seq ?? 0);
    const came = this.#came.filter((event) => event.seq > last).reverse();
    this.#came = [];
    if (came.length === 0) return;
    if (this.#holds()) this.waiting = [...came, ...this.waiting].slice(0, MOST);
    else this.shown = [...came, ...this.shown].slice(0, MOST);
  }

  #fail(error: unknown): void {
    this.problem = error instanceof Refusal ? error : new Refusal(0, String(error));
  }

  async #page(where: { before?: number }): Promise<{ events: StreamEvent[]; more: boolean }> {
    const { type, session, project, priority, text } = this.#wanted;
    const chosen = {
      ...where,
      limit: PAGE,
      ...(type && { type }),
      ...(session && { session_id: session }),
      ...(project && { project_id: project }),
      ...(priority && { priority }),
      ...(text && { text }),
    };
    const page = await whole(api.GET("/api/v1/events", { params: { query: chosen as object } }));
    const { data, next } = page as unknown as { data: StreamEvent[]; next: number | null };
    return { events: data, more: next != null };
  }
}
