// The comments that a reader is about to send: kept in this browser by session, so that they outlive
// a reload, a lost connection and a new head. What was written about another head says so.
import { newKey } from "./key";

export type Side = "new" | "old";

export interface DraftComment {
  id: string;
  path: string;
  side: Side;
  /** Null: about the file. */
  line: number | null;
  end: number | null;
  quote: string;
  body: string;
  /** The head it was written about. */
  head: string;
}

interface Kept {
  key: string;
  body: string;
  forge: boolean;
  comments: DraftComment[];
}

const NAME = "ennio.review.";
const DAYS = 30;

export class Draft {
  comments = $state<DraftComment[]>([]);
  body = $state("");
  forge = $state(false);
  /** What the sending is known by: sent again under it, it is there once. */
  key = $state("");
  readonly #name: string;

  constructor(session: string) {
    this.#name = NAME + session;
    this.#read();
    addEventListener("storage", (event) => event.key === this.#name && this.#read());
  }

  /** How many would be sent: those with words. */
  get ready(): DraftComment[] {
    return this.comments.filter((one) => one.body.trim() !== "");
  }

  add(comment: Omit<DraftComment, "id" | "body">): DraftComment {
    this.comments.push({ ...comment, id: newKey(), body: "" });
    this.keep();
    return this.comments.at(-1) as DraftComment;
  }

  remove(id: string): void {
    this.comments = this.comments.filter((one) => one.id !== id);
    this.keep();
  }

  /** These are sent, with these words about all of it: what was written meanwhile stays. */
  sent(comments: readonly DraftComment[], body: string): void {
    const gone = new Map(comments.map((one) => [one.id, one.body]));
    this.comments = this.comments.filter((one) => gone.get(one.id) !== one.body);
    if (this.body === body) this.body = "";
    this.keep();
  }

  /** Write it down; other words are another sending. */
  keep(): void {
    this.key = newKey();
    const kept: Kept = {
      key: this.key,
      body: this.body,
      forge: this.forge,
      comments: $state.snapshot(this.comments),
    };
    try {
      if (this.comments.length === 0 && this.body === "") localStorage.removeItem(this.#name);
      else localStorage.setItem(this.#name, JSON.stringify({ ...kept, at: Date.now() }));
    } catch {
      // a browser that keeps nothing: it lasts as long as the page
    }
  }

  #read(): void {
    const kept = known<Kept & { at: number }>(this.#name);
    const old = kept !== null && Date.now() - kept.at > DAYS * 86_400_000;
    this.comments = kept !== null && !old && Array.isArray(kept.comments) ? kept.comments : [];
    this.body = kept?.body ?? "";
    this.forge = kept?.forge ?? false;
    this.key = kept?.key ?? newKey();
  }
}

/** What is kept under a name; null where it is nothing that can be read. */
export function known<T>(name: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null") as T | null;
  } catch {
    return null;
  }
}

/** Which files were viewed, and as what they were viewed: one that changed since was not. */
export class Viewed {
  #kept = $state<Record<string, string>>({});
  readonly #name: string;

  constructor(session: string) {
    this.#name = `ennio.viewed.${session}`;
    this.#kept = known(this.#name) ?? {};
  }

  is(path: string, as: string): boolean {
    return this.#kept[path] === as;
  }

  set(path: string, as: string, viewed: boolean): void {
    if (viewed) this.#kept[path] = as;
    else delete this.#kept[path];
    try {
      localStorage.setItem(this.#name, JSON.stringify(this.#kept));
    } catch {
      // as above
    }
  }
}
