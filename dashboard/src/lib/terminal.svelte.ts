// The connection to one agent's terminal (docs/terminal.md): says hello, counts offsets,
// acknowledges what is on the screen, and comes back by itself where it was.
import { api, ask, askWhetherLoggedIn, loggedOut, type Refusal } from "./api";

export type Mode = "bytes" | "screen";

export interface Control {
  holder: string;
  mine: boolean;
  since: string;
  asked_by: string | null;
}

export interface State {
  cols: number;
  rows: number;
  control: Control | null;
  viewers: number;
  alive: boolean;
  read_only: boolean;
}

/** Letters that look alike; see ennio/http/styled_runs.py. */
export interface Run {
  t: string;
  f?: number | string;
  b?: number | string;
  s?: string;
}

export interface ScreenTold {
  cursor: [number, number] | null;
  lines: Record<string, Run[]>;
}

export type Line =
  | { is: "connecting" }
  | { is: "open" }
  | { is: "lost"; since: number; retryAt: number; why: string }
  | { is: "over"; why: string; status: string | null };

/** What is shown somewhere: by xterm, or as text. */
export interface Shown {
  picture(cols: number, rows: number): void;
  bytes(data: Uint8Array, taken: () => void): void;
  screen(told: ScreenTold): void;
  size(cols: number, rows: number): void;
}

const PROTOCOL = "ennio.terminal.v1";
const WAITS = [500, 1000, 2000, 5000, 10_000];
const ACK_EACH = 64 * 1024;
const SKIP_TOLD = 10_000; // for so long the page says that something was passed over
const REFUSED = 1008;
const LOGGED_OUT = 4401;

export class TerminalLine {
  line = $state.raw<Line>({ is: "connecting" });
  state = $state.raw<State | null>(null);
  /** What was refused last, in a sentence. */
  refusal = $state("");
  /** How many bytes were passed over last. */
  skipped = $state(0);

  readonly #id: string;
  readonly #mode: Mode;
  readonly #shown: Shown;
  #socket: WebSocket | null = null;
  #stream: string | null = null;
  #offset = 0;
  #acked = 0;
  #whole = false;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #forget: ReturnType<typeof setTimeout> | null = null;
  #control: string | null = null;
  /** Given back, of which the server has not told yet: what is sent now would be refused. */
  #given = $state(false);
  #waiting = new Map<number, () => void>();
  #ids = 0;
  #gone = false;
  #opened = false;

  constructor(id: string, mode: Mode, shown: Shown) {
    this.#id = id;
    this.#mode = mode;
    this.#shown = shown;
  }

  get mine(): boolean {
    return !this.#given && (this.state?.control?.mine ?? false);
  }

  connect(): void {
    if (this.#gone) return;
    const { protocol, host } = window.location;
    const scheme = protocol === "https:" ? "wss" : "ws";
    const id = encodeURIComponent(this.#id);
    const socket = new WebSocket(`${scheme}://${host}/api/v1/sessions/${id}/terminal`, PROTOCOL);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#opened = false;
    socket.onopen = () => {
      this.#opened = true;
      this.#say("hello", {
        mode: this.#mode,
        stream: this.#stream,
        offset: this.#offset,
        control: this.#control,
      });
    };
    socket.onmessage = (message) => this.#hear(message.data);
    socket.onclose = (end) => this.#ended(socket, end.code, end.reason);
  }

  close(): void {
    this.#gone = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  now(): void {
    if (this.line.is !== "lost") return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.connect();
  }

  /** Begin again with a session that was over and was restored. */
  again(): void {
    if (this.line.is !== "over") return;
    this.#stream = null;
    this.#offset = 0;
    this.line = { is: "connecting" };
    this.connect();
  }

  /** Keys; resolved once the server has put them into the terminal, where that is asked. */
  key(data: string, binary = false): void {
    this.#say("key", binary ? { data, binary } : { data });
  }

  typed(data: string): Promise<void> {
    const id = ++this.#ids;
    return new Promise((done) => {
      this.#waiting.set(id, done);
      this.#say("key", { data, id });
    });
  }

  paste(data: string): void {
    this.#say("paste", { data });
  }

  size(cols: number, rows: number): void {
    this.#say("size", { cols, rows });
  }

  hold(on: boolean): void {
    this.#say("hold", { on });
  }

  keep(): void {
    this.#say("control", { keep: true });
  }

  give(): void {
    this.#control = null;
    this.#given = true;
    this.#say("control", { give: true });
  }

  async take(): Promise<void> {
    this.refusal = "";
    this.#given = false;
    try {
      const taken = await ask(
        api.POST("/api/v1/sessions/{session_id}/control", {
          params: { path: { session_id: this.#id } },
          body: { by: "a person in the browser" },
        }),
      );
      this.#control = taken?.control ?? null;
      this.#say("control", { control: this.#control });
    } catch (error) {
      this.refusal = (error as Refusal).message;
    }
  }

  #say(type: string, told: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ type, ...told }));
  }

  #hear(data: string | ArrayBuffer): void {
    this.#tries = 0;
    if (this.line.is !== "open" && this.line.is !== "over") this.line = { is: "open" };
    if (typeof data !== "string") {
      this.#see(data);
      return;
    }
    const told = JSON.parse(data);
    switch (told.type) {
      case "state":
        this.state = told;
        if (!told.control?.mine) {
          this.#control = told.control === null ? null : this.#control;
          this.#given = false;
        }
        this.#shown.size(told.cols, told.rows);
        break;
      case "picture":
        this.#whole = true;
        this.#stream = told.stream;
        this.#shown.picture(told.cols, told.rows);
        break;
      case "screen":
        this.#shown.screen(told);
        break;
      case "skip":
        this.skipped = told.bytes;
        if (this.#forget !== null) clearTimeout(this.#forget);
        this.#forget = setTimeout(() => {
          this.skipped = 0;
        }, SKIP_TOLD);
        break;
      case "typed":
      case "refused":
        if (told.type === "refused") this.refusal = told.error;
        this.#waiting.get(told.id)?.();
        this.#waiting.delete(told.id);
        break;
      case "end":
        this.line = { is: "over", why: told.reason, status: told.status };
        break;
    }
  }

  #see(frame: ArrayBuffer): void {
    const offset = Number(new DataView(frame).getBigUint64(0));
    const data = new Uint8Array(frame, 8);
    const whole = this.#whole;
    this.#whole = false;
    this.#offset = whole ? offset : offset + data.length;
    const reached = this.#offset;
    this.#shown.bytes(data, () => this.#ack(reached, whole));
  }

  #ack(offset: number, now: boolean): void {
    if (!now && offset - this.#acked < ACK_EACH) return;
    this.#acked = offset;
    this.#say("ack", { offset });
  }

  #ended(socket: WebSocket, code: number, reason: string): void {
    if (this.#gone || socket !== this.#socket) return;
    this.#whole = false;
    if (this.line.is === "over") return;
    if (code === LOGGED_OUT) loggedOut();
    if (code === REFUSED || code === LOGGED_OUT) {
      this.line = { is: "over", why: reason || "the server closed it", status: null };
      return;
    }
    if (!this.#opened) askWhetherLoggedIn();
    const wait = WAITS[Math.min(this.#tries++, WAITS.length - 1)] ?? 10_000;
    const since = this.line.is === "lost" ? this.line.since : Date.now();
    this.line = { is: "lost", since, retryAt: Date.now() + wait, why: reason };
    this.#timer = setTimeout(() => this.connect(), wait);
  }
}
