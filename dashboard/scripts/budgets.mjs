// What the page may weigh at most, in bytes as they are sent (gzip); what is over fails the build.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const KB = 1024;
export const MOST = { js: 60 * KB, css: 12 * KB, html: 4 * KB, dist: 5 * KB * KB };

const packed = (file) => gzipSync(readFileSync(file), { level: 9 }).length;

/** What the first load fetches: the index and what it names; and all that lies in the folder. */
export function weigh(dist) {
  const index = readFileSync(join(dist, "index.html"), "utf-8");
  const named = [...index.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);
  const sum = (ending) =>
    named
      .filter((name) => name.endsWith(ending))
      .reduce((bytes, name) => bytes + packed(join(dist, name)), 0);
  const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".gz"))
    .map((entry) => join(entry.parentPath, entry.name));
  return {
    js: sum(".js"),
    css: sum(".css"),
    html: packed(join(dist, "index.html")),
    dist: files.reduce((bytes, file) => bytes + statSync(file).size, 0),
  };
}

export function check(dist) {
  const weights = weigh(dist);
  const over = Object.keys(MOST).filter((kind) => weights[kind] > MOST[kind]);
  const words = Object.entries(weights)
    .map(([kind, bytes]) => `${kind} ${(bytes / KB).toFixed(1)} of ${MOST[kind] / KB} KB`)
    .join(", ");
  if (over.length > 0) throw new Error(`the page is too heavy (${over.join(", ")}): ${words}`);
  return words;
}
