// How the supervisor is, and what its budgets have left: for the header and the banner. Asked when
// an event says that it may have changed, and once a minute.
import { api, ask, type Schemas } from "./api";
import { live } from "./live.svelte";

const EVERY = 60_000;
const PAUSE = 3000;
const TELLING =
  /^(budget_|config_|disk_|node_|session_paused|session_resumed|usage_|pr_merged|place_lost)/;

interface Status {
  config?: string;
  config_problem?: string | null;
  config_edited?: boolean;
  database_problem?: string | null;
  degraded?: { part: string; name: string; detail: string; blocks: boolean }[];
}

class Condition {
  status = $state.raw<Status | null>(null);
  budgets = $state.raw<Schemas["Budget"][]>([]);
  #timer: ReturnType<typeof setTimeout> | null = null;

  start(): void {
    live.on((event) => TELLING.test(event.event_type) && this.#soon(PAUSE));
    live.onAnew(() => this.#soon(PAUSE));
    setInterval(() => document.visibilityState === "visible" && this.#soon(0), EVERY);
    this.#soon(0);
  }

  /** The budget that has least left, of those that hold for a whole day or month. */
  get tightest(): Schemas["Budget"] | null {
    const known = this.budgets.filter((one) => one.scope !== "session" && one.limit !== null);
    return known.reduce<Schemas["Budget"] | null>(
      (best, one) => (best === null || share(one) > share(best) ? one : best),
      null,
    );
  }

  #soon(wait: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#read();
    }, wait);
  }

  async #read(): Promise<void> {
    try {
      [this.status, this.budgets] = await Promise.all([
        ask(api.GET("/api/v1/status")) as Promise<Status>,
        ask(api.GET("/api/v1/budgets")),
      ]);
    } catch {
      // the connection says so already; what was known last stands
    }
  }
}

export const condition = new Condition();

export const share = (budget: Schemas["Budget"]): number => budget.percent_used ?? 0;
