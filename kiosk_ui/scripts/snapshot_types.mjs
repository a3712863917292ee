// Regenerates src/shared/snapshots.d.ts from the Python types, or with --check says whether it is up to date.
// PYTHON names the interpreter.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "json-schema-to-typescript";

const ROOT = join(import.meta.dirname, "..");
const python = process.env.PYTHON ?? join(ROOT, "..", ".venv", "bin", "python");
const schema = JSON.parse(
  execFileSync(python, ["-m", "tapledger.web.schema"], {
    cwd: join(ROOT, "..", "daemon"),
    encoding: "utf8",
  }),
);
const code = await compile(schema, "Anything", {
  additionalProperties: false,
  unreachableDefinitions: true,
  bannerComment: "// Generated from daemon/tapledger/web/snapshots.py by `npm run types`. Do not edit.",
});
const file = join(ROOT, "src", "shared", "snapshots.d.ts");
if (!process.argv.includes("--check")) {
  writeFileSync(file, code);
} else if (readFileSync(file, "utf8") !== code) {
  console.error("src/shared/snapshots.d.ts is older than snapshots.py: npm run types");
  process.exit(1);
}
