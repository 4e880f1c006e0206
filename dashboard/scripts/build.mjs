// Builds the page: types of the API, bundle, packed twins, budgets; then it takes the place of the
// page that is served, in one step, so that nobody is ever served half of one.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { check } from "./budgets.mjs";
import { python } from "./python.mjs";
import { writeTypes } from "./types.mjs";

const PACKED = /\.(html|js|css|svg|json|wasm)$/;
const here = fileURLToPath(new URL("..", import.meta.url));
const served = fileURLToPath(new URL("../../ennio/http/dashboard/dist", import.meta.url));
const fresh = join(here, ".work", `dist-${process.pid}`);

function pack(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && PACKED.test(entry.name))
      writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
  }
}

function replace(made, place) {
  mkdirSync(dirname(place), { recursive: true });
  const old = `${place}.old-${process.pid}`;
  try {
    renameSync(place, old);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  renameSync(made, place);
  rmSync(old, { recursive: true, force: true });
}

try {
  if (python) await writeTypes(); // ENNIO_PYTHON="": none has Ennio yet; what is built is the same
  await build({ root: here, logLevel: "warn", build: { outDir: fresh, emptyOutDir: true } });
  pack(fresh);
  const words = check(fresh);
  replace(fresh, served);
  console.log(`the dashboard is built: ${words}`);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
