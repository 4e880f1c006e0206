// Code in colours: each language is fetched when a file of it is first shown.
import { tokenizeWith } from "@speed-highlight/core/tokenize";

export interface Token {
  text: string;
  /** What it is: a word of the stylesheet's, empty for plain text. */
  type: string;
}

type Language = Parameters<typeof tokenizeWith>[1];

const LANGUAGES: Record<string, () => Promise<{ default: unknown }>> = {
  bash: () => import("@speed-highlight/core/languages/bash.js"),
  c: () => import("@speed-highlight/core/languages/c.js"),
  css: () => import("@speed-highlight/core/languages/css.js"),
  docker: () => import("@speed-highlight/core/languages/docker.js"),
  go: () => import("@speed-highlight/core/languages/go.js"),
  html: () => import("@speed-highlight/core/languages/html.js"),
  ini: () => import("@speed-highlight/core/languages/ini.js"),
  java: () => import("@speed-highlight/core/languages/java.js"),
  js: () => import("@speed-highlight/core/languages/js.js"),
  json: () => import("@speed-highlight/core/languages/json.js"),
  lua: () => import("@speed-highlight/core/languages/lua.js"),
  make: () => import("@speed-highlight/core/languages/make.js"),
  py: () => import("@speed-highlight/core/languages/py.js"),
  rs: () => import("@speed-highlight/core/languages/rs.js"),
  sql: () => import("@speed-highlight/core/languages/sql.js"),
  toml: () => import("@speed-highlight/core/languages/toml.js"),
  ts: () => import("@speed-highlight/core/languages/ts.js"),
  xml: () => import("@speed-highlight/core/languages/xml.js"),
  yaml: () => import("@speed-highlight/core/languages/yaml.js"),
};
const ENDINGS: Record<string, string> = {
  sh: "bash", zsh: "bash", h: "c", cc: "c", cpp: "c", hpp: "c", cs: "java", kt: "java",
  swift: "java", scss: "css", less: "css", svelte: "html", vue: "html", htm: "html", cfg: "ini",
  conf: "ini", env: "ini", mjs: "js", cjs: "js", jsx: "js", tsx: "ts", mts: "ts", pyi: "py",
  yml: "yaml", svg: "xml", lock: "toml", mk: "make",
}; // biome-ignore format: one line a letter would be longer than all the rest
const NAMES: Record<string, string> = { dockerfile: "docker", makefile: "make" };
const LONGEST = 200_000; // characters; longer code stays as it is

/** The language of a file by its name; null: it is shown plain. */
export function languageOf(path: string): string | null {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const ending = name.slice(name.lastIndexOf(".") + 1);
  const found = NAMES[name] ?? ENDINGS[ending] ?? ending;
  return found in LANGUAGES ? found : null;
}

/** Each of these lines as tokens; null where nothing is known of the language, or it is too much. */
export async function coloured(lines: string[], language: string): Promise<Token[][] | null> {
  const code = lines.join("\n");
  const load = LANGUAGES[language];
  if (load === undefined || code.length > LONGEST) return null;
  const grammar = (await load()).default as Language;
  const rows: Token[][] = [[]];
  tokenizeWith(code, grammar, (text: string, type?: string) => {
    text.split("\n").forEach((part, at) => {
      if (at > 0) rows.push([]);
      if (part !== "") rows.at(-1)?.push({ text: part, type: type ?? "" });
    });
  });
  return rows.length === lines.length ? rows : null;
}

/** Tokens cut where the words of a line are other ones, each with whether they are. */
export function merged(
  tokens: Token[] | null,
  parts: { text: string; marked: boolean }[] | null,
  text: string,
): (Token & { marked: boolean })[] {
  const coloured = tokens ?? [{ text, type: "" }];
  const words = parts ?? [{ text, marked: false }];
  const found: (Token & { marked: boolean })[] = [];
  let [at, used] = [0, 0];
  for (const word of words) {
    let left = word.text.length;
    while (left > 0 && at < coloured.length) {
      const token = coloured[at] as Token;
      const piece = token.text.slice(used, used + left);
      found.push({ text: piece, type: token.type, marked: word.marked });
      used += piece.length;
      left -= piece.length;
      if (used >= token.text.length) [at, used] = [at + 1, 0];
    }
  }
  return found;
}
