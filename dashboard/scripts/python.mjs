// Which Python has Ennio: the one that was named, that of the checkout, or whatever is first.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const own = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));

export const python = process.env.ENNIO_PYTHON ?? (existsSync(own) ? own : "python3");
