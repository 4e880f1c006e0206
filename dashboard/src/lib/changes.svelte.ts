// What a session has changed, as its page shows it: the list, and each file's patch once it is seen.
import { SvelteMap } from "svelte/reactivity";
import { api, ask, Refusal, type Schemas } from "./api";
import { type Hunk, hunksOf } from "./patch";

export type SessionDiff = Schemas["SessionDiff"];
export type ChangedFile = Schemas["ChangedFile"];
export type Until = "worktree" | "head";

export interface Patch {
  hunks: Hunk[];
  truncated: boolean;
  /** Lines around each change. */
  context: number;
}

const PAUSE = 4000; // milliseconds between two looks that nobody asked for

export class Changes {
  diff = $state.raw<SessionDiff | null>(null);
  problem = $state.raw<string | null>(null);
  loading = $state.raw(false);
  until = $state.raw<Until>("worktree");
  readonly patches = new SvelteMap<string, Patch | string>();
  readonly #session: string;
  #asked = new Map<string, number>();
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(session: string) {
    this.#session = session;
  }

  /** Look again soon, at most once in a while. */
  soon(): void {
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#last + PAUSE - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (document.visibilityState === "visible") void this.load();
    }, wait);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async load(until: Until = this.until): Promise<void> {
    this.#last = Date.now();
    this.loading = true;
    try {
      const asked = { path: { session_id: this.#session }, query: { until } };
      const diff = await ask(api.GET("/api/v1/sessions/{session_id}/diff", { params: asked }));
      const other = until !== this.until;
      this.until = until;
      if (other) this.patches.clear();
      const was = JSON.stringify(this.diff);
      if (was !== JSON.stringify(diff)) this.diff = diff;
      this.problem = null;
      this.#forgetGone(diff);
      // what is shown may be another one without the list saying so
      for (const path of this.patches.keys()) void this.#read(path, this.#asked.get(path) ?? 3);
    } catch (error) {
      this.problem = error instanceof Refusal ? error.message : String(error);
    }
    this.loading = false;
  }

  /** Have the patch of a file; `context` is how many lines around each change. */
  want(path: string, context = 3): void {
    if (this.#asked.get(path) === context && this.patches.has(path)) return;
    void this.#read(path, context);
  }

  /** The whole patch of a file that is too large to be shown. */
  async download(path: string): Promise<void> {
    const query = { path, until: this.until, whole: true };
    const asked = { path: { session_id: this.#session }, query };
    const found = await ask(api.GET("/api/v1/sessions/{session_id}/diff/file", { params: asked }));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([found.text], { type: "text/x-diff" }));
    link.download = `${path.slice(path.lastIndexOf("/") + 1)}.diff`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async #read(path: string, context: number): Promise<void> {
    this.#asked.set(path, context);
    try {
      const query = { path, until: this.until, context };
      const asked = { path: { session_id: this.#session }, query };
      const found = await ask(
        api.GET("/api/v1/sessions/{session_id}/diff/file", { params: asked }),
      );
      const patch = { hunks: hunksOf(found.text), truncated: found.truncated, context };
      if (JSON.stringify(this.patches.get(path)) !== JSON.stringify(patch))
        this.patches.set(path, patch);
    } catch (error) {
      const words = error instanceof Refusal ? error.message : String(error);
      if (typeof (this.patches.get(path) ?? "") === "string") this.patches.set(path, words);
    }
  }

  #forgetGone(diff: SessionDiff): void {
    const there = new Set(diff.files.map((file) => file.path));
    for (const path of this.patches.keys()) if (!there.has(path)) this.patches.delete(path);
  }
}

/** What a file was viewed as: once this is another, it is to be viewed again. */
export const sight = (file: ChangedFile): string =>
  [file.status, file.added, file.removed, file.size, file.mode].join(" ");
