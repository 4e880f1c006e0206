// xterm.js, dressed as the rest of the page; loaded with the terminal and not before.
import "@xterm/xterm/css/xterm.css";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { type ITheme, Terminal } from "@xterm/xterm";

const SCROLLBACK = 5000;
const HTTP = /^https?:\/\//i;

/** Opens what a stranger's output calls a link: only pages, and without a way back to this one. */
function follow(_event: MouseEvent, uri: string): void {
  if (HTTP.test(uri)) window.open(uri, "_blank", "noopener,noreferrer");
}

export function theme(dark: boolean): ITheme {
  return dark
    ? {
        background: "#0b0e11",
        foreground: "#e6e9ec",
        cursor: "#e6e9ec",
        selectionBackground: "#2b4a6b",
        black: "#1b2128",
        red: "#ff5d52",
        green: "#2fd39b",
        yellow: "#ffb020",
        blue: "#4ea8f0",
        magenta: "#c792ea",
        cyan: "#5fd7d7",
        white: "#c7cdd3",
        brightBlack: "#7d8791",
        brightRed: "#ff867d",
        brightGreen: "#67e3b8",
        brightYellow: "#ffc65c",
        brightBlue: "#86c5f7",
        brightMagenta: "#ddb6f2",
        brightCyan: "#94e6e6",
        brightWhite: "#ffffff",
      }
    : {
        background: "#ffffff",
        foreground: "#16191d",
        cursor: "#16191d",
        selectionBackground: "#cfe2f7",
        black: "#16191d",
        red: "#a3121f",
        green: "#00704d",
        yellow: "#8a5a00",
        blue: "#0059b3",
        magenta: "#7b2fa0",
        cyan: "#00697a",
        white: "#5a636d",
        brightBlack: "#56606b",
        brightRed: "#b3202c",
        brightGreen: "#00794f",
        brightYellow: "#966200",
        brightBlue: "#0a66c2",
        brightMagenta: "#8a3bb0",
        brightCyan: "#007487",
        brightWhite: "#3a424a",
      };
}

export interface Made {
  term: Terminal;
  search: SearchAddon;
}

/** An xterm without a way out: no clipboard, no title, no link but to pages. */
export function make(options: { dark: boolean; screenReader: boolean }): Made {
  const term = new Terminal({
    allowProposedApi: true, // the table of widths is one; nothing of the clipboard is
    cols: 80,
    rows: 24,
    cursorBlink: false,
    disableStdin: true,
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono").trim(),
    fontSize: 13,
    linkHandler: { activate: follow },
    minimumContrastRatio: 4.5,
    screenReaderMode: options.screenReader,
    scrollback: SCROLLBACK,
    theme: theme(options.dark),
  });
  const search = new SearchAddon();
  term.loadAddon(search);
  term.loadAddon(new Unicode11Addon());
  term.unicode.activeVersion = "11";
  term.loadAddon(new WebLinksAddon(follow));
  term.parser.registerOscHandler(52, () => true); // a program writes to nobody's clipboard
  return { term, search };
}

/** Draw by the graphics card where that is there and sound; else as before. */
export async function quicken(term: Terminal): Promise<void> {
  const webkit = /AppleWebKit/.test(navigator.userAgent) && !/Chrome/.test(navigator.userAgent);
  if (webkit || navigator.webdriver) return;
  const { WebglAddon } = await import("@xterm/addon-webgl");
  try {
    const addon = new WebglAddon();
    addon.onContextLoss(() => addon.dispose());
    term.loadAddon(addon);
  } catch {
    // there is none: the page draws it
  }
}
