// Moments ahead, in local time: the hour today, the day and the hour within a week, else the date.
const WEEK = 7 * 86_400_000;
const hour = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const precise = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function soon(at: string | null | undefined, now = new Date()): string {
  if (!at) return "";
  const then = new Date(at);
  if (then.toDateString() === now.toDateString()) return hour.format(then);
  const near = Math.abs(then.getTime() - now.getTime()) < WEEK;
  return `${(near ? weekday : date).format(then)} ${hour.format(then)}`;
}

export function exact(at: string | null | undefined): string {
  return at ? precise.format(new Date(at)) : "";
}

/** `14:05:07.113`, local. */
export function milliseconds(at: string): string {
  const then = new Date(at);
  const pad = (value: number, width: number) => String(value).padStart(width, "0");
  const parts = [then.getHours(), then.getMinutes(), then.getSeconds()].map((part) => pad(part, 2));
  return `${parts.join(":")}.${pad(then.getMilliseconds(), 3)}`;
}
