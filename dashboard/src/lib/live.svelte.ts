// One connection for events per browser, not per tab: six tabs would take all that a browser opens
// to one host. Whoever holds the lock listens and tells the others; when that tab is closed the next
// one takes the lock and goes on from what it has seen. Without locks each tab listens by itself.
import { type Block, listen, type StreamEvent, StreamRefused } from "./stream";

const NAME = "ennio-events";
const WAITS = [500, 1000, 2000]; // milliseconds between tries; the last one again and again
const TOGETHER = 400; // what arrives within this after a reconnection was missed while away

export type Connection =
  | { is: "starting" }
  | { is: "live"; caughtUp: number | null }
  | { is: "lost"; since: number; retryAt: number }
  | { is: "logged out" };

type Told =
  | { kind: "event"; event: StreamEvent }
  | { kind: "state"; state: Connection; seq: number | null }
  | { kind: "anew" }
  | { kind: "who" };

type OnEvent = (event: StreamEvent) => void;

class Live {
  /** How the connection is; every tab sees the same. */
  connection = $state.raw<Connection>({ is: "starting" });
  /** The number of the last event that was seen. */
  seq = $state.raw<number | null>(null);
  /** Whether this tab is the one that listens. */
  leads = $state.raw(false);

  #onEvent = new Set<OnEvent>();
  #onAnew = new Set<() => void>();
  #channel: BroadcastChannel | null = null;
  #stop = new AbortController();
  #wake: () => void = () => {};
  #missed = 0;
  #behind = 0; // until when what arrives was missed while away

  /** Call for each event; returns how to stop it. */
  on(call: OnEvent): () => void {
    this.#onEvent.add(call);
    return () => this.#onEvent.delete(call);
  }

  /** Call when what was known may be of another log, or events were missed: read everything anew. */
  onAnew(call: () => void): () => void {
    this.#onAnew.add(call);
    return () => this.#onAnew.delete(call);
  }

  start(): void {
    if ("BroadcastChannel" in globalThis && navigator.locks) {
      this.#channel = new BroadcastChannel(NAME);
      this.#channel.onmessage = ({ data }: MessageEvent<Told>) => this.#hear(data);
      this.#tell({ kind: "who" });
      void navigator.locks.request(NAME, { signal: this.#stop.signal }, () => this.#lead());
    } else {
      void this.#lead();
    }
    globalThis.addEventListener?.("online", () => this.#wake());
    globalThis.addEventListener?.("pageshow", () => this.#wake());
  }

  /** Try now instead of when the wait is over. */
  retry(): void {
    this.#wake();
  }

  async #lead(): Promise<void> {
    this.leads = true;
    let failed = 0;
    while (!this.#stop.signal.aborted) {
      try {
        await listen(
          this.seq,
          (block) => {
            failed = 0;
            this.#take(block);
          },
          this.#stop.signal,
        );
      } catch (error) {
        if (error instanceof StreamRefused && error.status === 401) {
          this.#become({ is: "logged out" });
          await new Promise<void>((woken) => {
            this.#wake = woken;
          });
          continue;
        }
        const wait = WAITS[Math.min(failed++, WAITS.length - 1)] as number;
        this.#lose(wait);
        await this.#pause(wait);
      }
    }
  }

  #pause(wait: number): Promise<void> {
    return new Promise((over) => {
      const timer = setTimeout(over, wait);
      this.#wake = () => {
        clearTimeout(timer);
        over();
      };
    });
  }

  #lose(wait: number): void {
    const before = this.connection;
    const since = before.is === "lost" ? before.since : Date.now();
    this.#become({ is: "lost", since, retryAt: Date.now() + wait });
  }

  #take(block: Block): void {
    if (this.connection.is !== "live") this.#found(block);
    if (block.data !== null) {
      const event = JSON.parse(block.data) as StreamEvent;
      this.#pass(event);
      this.#tell({ kind: "event", event });
    } else if (block.id !== null) {
      this.seq = block.id;
    }
  }

  /** The first block of a connection says from where it goes on: elsewhere is another log. */
  #found(block: Block): void {
    const known = this.seq;
    const wasLost = this.connection.is === "lost";
    const other = known !== null && block.data === null && block.id !== null && block.id !== known;
    this.#behind = wasLost ? Date.now() + TOGETHER : 0;
    this.#missed = 0;
    this.#become({ is: "live", caughtUp: wasLost ? 0 : null });
    if (other) {
      this.seq = block.id;
      this.#anew();
      this.#tell({ kind: "anew" });
    }
  }

  #pass(event: StreamEvent): void {
    if (this.seq !== null && event.seq <= this.seq) return; // the same again, from a former leader
    this.seq = event.seq;
    if (Date.now() < this.#behind && this.connection.is === "live")
      this.#become({ is: "live", caughtUp: ++this.#missed });
    for (const call of this.#onEvent) call(event);
  }

  #anew(): void {
    for (const call of this.#onAnew) call();
  }

  #become(state: Connection): void {
    this.connection = state;
    this.#tell({ kind: "state", state, seq: this.seq });
  }

  #tell(told: Told): void {
    this.#channel?.postMessage(told);
  }

  #hear(told: Told): void {
    switch (told.kind) {
      case "event":
        this.#pass(told.event);
        break;
      case "anew":
        this.#anew();
        break;
      case "state":
        if (this.leads) break;
        this.connection = told.state;
        if (told.seq !== null) this.#follow(told.seq);
        break;
      case "who":
        if (this.leads) this.#tell({ kind: "state", state: this.connection, seq: this.seq });
    }
  }

  /** A follower that slept has missed events that nobody repeats to it. */
  #follow(seq: number): void {
    const missed = this.seq !== null && seq > this.seq;
    this.seq = seq;
    if (missed) this.#anew();
  }
}

export const live = new Live();
