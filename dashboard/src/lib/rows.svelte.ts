// The rows of all sessions, by their id: one object a row, replaced as a whole, so that only what
// shows that row is drawn again. Events say which rows to ask for: at once after a rest, and four times
// a second at most where they do not end.
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import { api, ask, Refusal, type Schemas } from "./api";
import { live } from "./live.svelte";
import { asRow, type Row } from "./row";

const PAUSE = 250;
const AT_ONCE = 3; // so many times in a row there is no pause, once there were that many pauses
const ALL_ANEW = 60_000; // what changes without an event: ages of signals, what a plan has left
const MANY = 50; // more ids than these are asked for as all of them

class Rows {
  readonly byId = new SvelteMap<string, Row>();
  /** Whether they were ever read; until then nothing is said of how many there are. */
  loaded = $state.raw(false);
  /** Why they could not be read the last time. */
  problem = $state.raw<Refusal | null>(null);
  /** Ids that were asked for and that no session has. */
  readonly unknown = new SvelteSet<string>();

  #dirty = new Set<string>();
  #pinned = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #last = 0;
  #free = AT_ONCE; // how often it may be asked without a pause, as of the last time
  #all = true;
  #asking = false;

  start(): void {
    live.on((event) => this.touch(event.session_id));
    live.onAnew(() => this.reload());
    setInterval(() => document.visibilityState === "visible" && this.reload(), ALL_ANEW);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && Date.now() - this.#last > 5000) this.reload();
    });
    this.reload();
  }

  /** Ask for this row anew, soon. */
  touch(id: string): void {
    if (id === "") return;
    this.#dirty.add(id);
    this.#soon();
  }

  /** Keep this row even where the list leaves it out, as it does with one that is archived. */
  pin(id: string): () => void {
    this.#pinned.add(id);
    if (!this.byId.has(id)) this.touch(id);
    return () => this.#pinned.delete(id);
  }

  /** Ask for all rows anew, soon. */
  reload(): void {
    this.#all = true;
    this.#soon();
  }

  get(id: string): Row | undefined {
    return this.byId.get(id);
  }

  #soon(): void {
    if (this.#timer !== null || this.#asking) return;
    const rested = Math.min(AT_ONCE, this.#free + (Date.now() - this.#last) / PAUSE);
    const wait = Math.max(0, (1 - rested) * PAUSE);
    this.#timer = setTimeout(() => void this.#read(), wait);
  }

  async #read(): Promise<void> {
    this.#timer = null;
    this.#asking = true;
    const now = Date.now();
    this.#free = Math.max(0, Math.min(AT_ONCE, this.#free + (now - this.#last) / PAUSE) - 1);
    this.#last = now;
    const ids = [...this.#dirty];
    const all = this.#all || ids.length > MANY;
    this.#dirty.clear();
    this.#all = false;
    try {
      const read = await fetchRows(all ? null : ids);
      this.#put(read, all ? null : ids);
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      this.problem = error instanceof Refusal ? error : new Refusal(0, String(error));
      for (const id of ids) this.#dirty.add(id);
      this.#all = all;
    }
    this.#asking = false;
    if (this.problem !== null && !this.problem.loggedOut) setTimeout(() => this.#soon(), 1000);
    else if (this.#dirty.size > 0 || this.#all) this.#soon();
  }

  #put(read: Row[], asked: string[] | null): void {
    const came = new Set(read.map((row) => row.id));
    for (const id of asked ?? [...this.byId.keys()]) {
      if (came.has(id)) continue;
      if (asked === null && this.#pinned.has(id)) this.#dirty.add(id);
      else this.byId.delete(id);
    }
    for (const id of asked ?? []) if (!came.has(id)) this.unknown.add(id);
    for (const row of read) {
      this.unknown.delete(row.id);
      const known = this.byId.get(row.id);
      if (known === undefined || JSON.stringify(known) !== JSON.stringify(row))
        this.byId.set(row.id, row);
    }
  }
}

async function fetchRows(ids: string[] | null): Promise<Row[]> {
  const query = { view: "row", ...(ids === null ? {} : { ids }) } as const;
  const read = await ask(
    api.GET("/api/v1/sessions", {
      params: { query },
      querySerializer: { array: { style: "form", explode: false } },
    }),
  );
  return (read as Schemas["SessionRow"][]).map(asRow);
}

export const rows = new Rows();
