// Writes src/lib/schema.d.ts, the types of the API, from the OpenAPI document of this checkout.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import { python } from "./python.mjs";

export async function writeTypes() {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const document = execFileSync(python, ["-m", "ennio.http.openapi"], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
    encoding: "utf-8",
  });
  const types = await openapiTS(JSON.parse(document), { defaultNonNullable: false });
  writeFileSync(new URL("../src/lib/schema.d.ts", import.meta.url), astToString(types));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeTypes();
