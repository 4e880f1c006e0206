// What a view reads: the last answer stays while a new one is asked for, and when that fails.
import { Refusal } from "./api";

export class Reading<T> {
  /** The last answer. */
  data = $state.raw<T | null>(null);
  /** Why the last question had none. */
  problem = $state.raw<Refusal | null>(null);
  /** Whether one is under way. */
  asking = $state.raw(false);

  #turn = 0;
  #ask: () => Promise<T>;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  /** Ask anew; an answer to an older question is not taken any more. */
  async read(): Promise<void> {
    const turn = ++this.#turn;
    this.asking = true;
    try {
      const data = await this.#ask();
      if (turn !== this.#turn) return;
      this.data = data;
      this.problem = null;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.problem = error instanceof Refusal ? error : new Refusal(0, String(error));
    }
    this.asking = false;
  }

  /** Ask anew every so often while somebody looks; returns how to stop it. */
  every(milliseconds: number): () => void {
    void this.read();
    const timer = setInterval(
      () => document.visibilityState === "visible" && void this.read(),
      milliseconds,
    );
    return () => clearInterval(timer);
  }
}
