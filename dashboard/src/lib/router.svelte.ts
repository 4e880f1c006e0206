// Where the page is: the address says it all, so that it can be kept, sent and gone back from.

export const TABS = ["terminal", "diff", "pr", "messages", "files", "log"] as const;
export type Tab = (typeof TABS)[number];

export type Place =
  | { view: "now"; project: string | null }
  | { view: "session"; id: string; tab: Tab | null }
  | { view: "projects" }
  | { view: "spend" }
  | { view: "nodes" }
  | { view: "events" }
  | { view: "settings" }
  | { view: "unknown"; path: string };

const ID = "[A-Za-z0-9_-]{1,128}";
const SESSION = new RegExp(`^/s/(${ID})(?:/(${TABS.join("|")}))?$`);
const PROJECT = new RegExp(`^/p/(${ID})$`);
const PLAIN = ["projects", "spend", "nodes", "events", "settings"] as const;

/** What an address of ours shows. */
export function placeOf(path: string): Place {
  const clean = path.length > 1 ? path.replace(/\/+$/, "") : path;
  if (clean === "/") return { view: "now", project: null };
  const session = SESSION.exec(clean);
  if (session)
    return { view: "session", id: session[1] as string, tab: (session[2] as Tab) ?? null };
  const project = PROJECT.exec(clean);
  if (project) return { view: "now", project: project[1] as string };
  const view = PLAIN.find((name) => clean === `/${name}`);
  return view ? { view } : { view: "unknown", path };
}

class Router {
  path = $state.raw(location.pathname);
  search = $state.raw(location.search);
  place = $derived(placeOf(this.path));
  query = $derived(new URLSearchParams(this.search));

  start(): void {
    addEventListener("popstate", () => this.#read());
    document.addEventListener("click", (click) => this.#follow(click));
  }

  /** Go to an address of ours; `instead` leaves no step back to where one was. */
  go(to: string, { instead = false } = {}): void {
    const url = new URL(to, location.origin);
    if (url.origin !== location.origin) return;
    if (url.href === location.href) return;
    history[instead ? "replaceState" : "pushState"](null, "", url);
    const moved = url.pathname !== this.path;
    this.#read();
    if (moved && !instead) scrollTo(0, 0);
  }

  /** The address with these words of the query changed; null or "" takes one out. */
  with(changes: Record<string, string | null>): string {
    const query = new URLSearchParams(this.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    return this.path + (text ? `?${text}` : "");
  }

  #read(): void {
    this.path = location.pathname;
    this.search = location.search;
  }

  /** Links of ours change the view, not the page; whoever wants a new tab gets one. */
  #follow(click: MouseEvent): void {
    if (click.defaultPrevented || click.button !== 0) return;
    if (click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
    const link = (click.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || link.target || link.download) return;
    if (link.origin !== location.origin || /^\/(api|auth|metrics)(\/|$)/.test(link.pathname))
      return;
    if (link.hash && link.pathname === location.pathname) return;
    click.preventDefault();
    this.go(link.href);
  }
}

export const router = new Router();
