// The keys of the page. The map is data (keymap.json): the help and the documentation print the same.
import { acting } from "./acting.svelte";
import { dialogs } from "./dialogs.svelte";
import MAP from "./keymap.json";
import { router, TABS } from "./router.svelte";

export interface Binding {
  keys: string[];
  where: "everywhere" | "list" | "session";
  does: string;
  says: string;
}

export const KEYMAP = MAP as Binding[];

const SECOND = 1500; // milliseconds within which the second key of two must follow
const HELD = "[data-session]";

let first: { key: string; at: number } | null = null;
let last: string | null = null; // the session that had the focus last

export function listenToKeys(): void {
  addEventListener("keydown", onKey);
  addEventListener("focusin", (event) => {
    const held = (event.target as Element).closest?.<HTMLElement>(HELD);
    if (held) last = held.dataset.session ?? null;
  });
}

function onKey(event: KeyboardEvent): void {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (dialogs.shown === "palette") dialogs.close();
    else dialogs.open("palette");
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || dialogs.shown !== null) return;
  if (types(event.target)) {
    if (event.key === "Escape") (event.target as HTMLElement).blur();
    return;
  }
  if (does(event.key, event)) event.preventDefault();
}

/** Whether keys are words there: fields, and a terminal that a person has taken control of. */
function types(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) ||
    target.closest("[data-keys='own']") !== null
  );
}

function does(key: string, event: KeyboardEvent): boolean {
  const now = Date.now();
  if (first !== null && now - first.at < SECOND) {
    const both = `${first.key} ${key}`;
    first = null;
    const leads = KEYMAP.find((one) => one.keys.includes(both));
    if (leads) return go(leads.does);
  }
  if (key === "g") {
    first = { key, at: now };
    return true;
  }
  if (key === "Escape") return climb();
  if (key >= "1" && key <= "9") return ask("answer", Number(key));
  if (key === "j" || key === "k") return move(key === "j" ? 1 : -1, HELD);
  if (key === "n" || key === "N") return move(key === "n" ? 1 : -1, `${HELD}[data-turn='you']`);
  if (key === "[" || key === "]") return turnTab(key === "]" ? 1 : -1);
  if (key === " ") return peek(event);
  const binding = KEYMAP.find((one) => one.keys.includes(key));
  return binding !== undefined && go(binding.does);
}

function go(what: string): boolean {
  const [kind, value = ""] = what.split(/:(.*)/s);
  switch (kind) {
    case "go":
      router.go(value);
      return true;
    case "verb":
      return ask(value, null);
    case "palette":
    case "help":
    case "spawn":
      dialogs.open(kind);
      return true;
    case "filter":
      return focusFilter();
    case "resort":
      dispatchEvent(new CustomEvent("ennio:resort"));
      return true;
    default:
      return false;
  }
}

function focusFilter(): boolean {
  const field = document.querySelector<HTMLInputElement>("[data-filter]");
  if (field) field.focus();
  else dialogs.open("palette");
  return true;
}

/** The session a key is about: the one that is open, or whose line has or had the focus. */
export function current(): string | null {
  if (router.place.view === "session") return router.place.id;
  const held = document.activeElement?.closest<HTMLElement>(HELD)?.dataset.session;
  if (held) return held;
  return last !== null && document.querySelector(`[data-session='${last}']`) ? last : null;
}

function ask(verb: string, option: number | null): boolean {
  const id = current();
  if (id === null) return false;
  const line = document.querySelector(
    `tr[data-session='${id}'] [data-peek][aria-expanded='false']`,
  );
  if (line instanceof HTMLElement) line.click(); // its verbs are shown first
  acting.ask(id, verb, option);
  return true;
}

function move(by: number, among: string): boolean {
  const lines = [...document.querySelectorAll<HTMLElement>(among)];
  if (lines.length === 0) return false;
  const id = current();
  const all = [...document.querySelectorAll<HTMLElement>(HELD)];
  const at = all.findIndex((line) => line.dataset.session === id);
  const next =
    at < 0
      ? lines[by > 0 ? 0 : lines.length - 1]
      : by > 0
        ? (lines.find((line) => all.indexOf(line) > at) ?? lines[0])
        : (lines.findLast((line) => all.indexOf(line) < at) ?? lines[lines.length - 1]);
  const name = next?.querySelector<HTMLElement>("[data-name]");
  name?.focus();
  name?.scrollIntoView({ block: "nearest" });
  return true;
}

function peek(event: KeyboardEvent): boolean {
  if (event.target instanceof HTMLElement && event.target.closest("button, summary")) return false;
  const line = document.activeElement?.closest(HELD);
  const button = line?.querySelector<HTMLElement>("[data-peek]");
  button?.click();
  return button !== undefined && button !== null;
}

function turnTab(by: number): boolean {
  const place = router.place;
  if (place.view !== "session") return false;
  const at = TABS.indexOf(place.tab ?? "terminal");
  const next = TABS[(at + by + TABS.length) % TABS.length];
  router.go(`/s/${place.id}/${next}`, { instead: true });
  return true;
}

function climb(): boolean {
  if (router.place.view === "now") {
    if (router.search === "" && router.path === "/") return false;
    router.go("/");
    return true;
  }
  router.go("/");
  return true;
}
