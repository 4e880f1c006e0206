// What each session cost step by step: of all of them in the last hour, five minutes a step, read once
// a minute while somebody looks; and of one session its whole life.
import { SvelteMap } from "svelte/reactivity";
import { api, ask } from "./api";

const EVERY = 60_000;
const LIFE = 24;

class Trends {
  readonly byId = new SvelteMap<string, number[]>();

  /** To be called from an effect: reads for as long as that lives. */
  follow(): () => void {
    void this.#read();
    const timer = setInterval(
      () => document.visibilityState === "visible" && void this.#read(),
      EVERY,
    );
    return () => clearInterval(timer);
  }

  async #read(): Promise<void> {
    const told = await ask(api.GET("/api/v1/costs/trend")).catch(() => null);
    if (told === null) return; // the connection says so already; what was known last stands
    const came = new Map(told.rows.map((row) => [row.session_id, row.usd.map(Number)]));
    for (const id of this.byId.keys()) if (!came.has(id)) this.byId.delete(id);
    for (const [id, steps] of came)
      if (this.byId.get(id)?.join() !== steps.join()) this.byId.set(id, steps);
  }
}

export const trends = new Trends();

/** What a session had cost by the end of each step of its life; nothing where that is not known. */
export async function lifeOf(id: string): Promise<number[]> {
  const query = { session_id: id, steps: LIFE };
  const told = await ask(api.GET("/api/v1/costs/trend", { params: { query } }));
  let sum = 0;
  return (told.rows[0]?.usd ?? []).map((usd) => {
    sum += Number(usd);
    return sum;
  });
}

/** Bars from left to right in a box of `width` by `height`, as one path; what is little still shows. */
export function bars(steps: readonly number[], width: number, height: number): string {
  const most = Math.max(...steps, 0);
  if (most <= 0) return "";
  const each = width / steps.length;
  return steps
    .map((value, at) => {
      if (value <= 0) return "";
      const tall = Math.max(1, (height * value) / most);
      return `M${fixed(at * each)} ${height}v-${fixed(tall)}h${fixed(each * 0.8)}v${fixed(tall)}z`;
    })
    .join("");
}

const fixed = (number: number): string => String(Number(number.toFixed(1)));
