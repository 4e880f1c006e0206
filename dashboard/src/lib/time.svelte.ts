// Ages, in the words of all faces: "40s", "2m", "5h", "3d". The clock ticks once a second for what is
// young, and everything that shows an age reads it.

class Clock {
  now = $state.raw(Date.now());
  #timer: ReturnType<typeof setInterval> | null = null;

  start(): void {
    this.#timer ??= setInterval(() => {
      if (document.visibilityState === "visible") this.now = Date.now();
    }, 1000);
  }
}

export const clock = new Clock();

/** How long ago, in one unit; what lies ahead by a little is "0s": clocks differ. */
export function age(since: string | number | null | undefined, now = clock.now): string {
  if (since === null || since === undefined) return "";
  const seconds = Math.max(0, (now - new Date(since).getTime()) / 1000);
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const daytime = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** The exact local time, for a title. */
export function exact(at: string | number | null | undefined): string {
  const time = at == null ? Number.NaN : new Date(at).getTime();
  return Number.isNaN(time) ? "" : exactly.format(time);
}

/** The time of day, local. */
export function at(time: string | number | null | undefined): string {
  const read = time == null ? Number.NaN : new Date(time).getTime();
  return Number.isNaN(read) ? "" : daytime.format(read);
}
