// The messages of one session, read anew when an event of it may have changed them.
import { api, ask, Refusal, type Schemas } from "./api";
import { live } from "./live.svelte";

export type Message = Schemas["Message"];

export class Messages {
  list = $state.raw<Message[]>([]);
  loaded = $state.raw(false);
  problem = $state.raw("");

  readonly #id: string;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(id: string) {
    this.#id = id;
  }

  /** Those that the agent has not taken yet. */
  get waiting(): Message[] {
    return this.list.filter((one) => ["queued", "sending", "sent_unsure"].includes(one.state));
  }

  /** To be called from an effect: reads now, and again after events of this session. */
  follow(): () => void {
    void this.read();
    const off = live.on((event) => {
      if (event.session_id === this.#id && /^(message_|activity_|session_)/.test(event.event_type))
        this.soon();
    });
    const offAnew = live.onAnew(() => this.soon());
    return () => {
      off();
      offAnew();
      if (this.#timer !== null) clearTimeout(this.#timer);
    };
  }

  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.read();
    }, 250);
  }

  async read(): Promise<void> {
    try {
      this.list = await ask(
        api.GET("/api/v1/sessions/{session_id}/messages", {
          params: { path: { session_id: this.#id } },
        }),
      );
      this.loaded = true;
      this.problem = "";
    } catch (error) {
      this.problem = error instanceof Refusal ? error.message : String(error);
    }
  }
}

export const STATES: Record<Message["state"], string> = {
  queued: "queued",
  sending: "being typed",
  sent_unsure: "typed, not seen to arrive yet",
  delivered: "taken",
  failed: "failed",
  dropped: "dropped",
};

export const ORIGINS: Record<Message["origin"], string> = {
  prompt: "the task",
  person: "you",
  reaction: "Ennio",
  restore: "Ennio, at its restart",
  plan: "Ennio, as its plan goes on",
};
