// Regenerates src/shared/snapshots.d.ts from the Python types; PYTHON names the interpreter.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
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
const code = await compile(schema, "AnyFace", {
  additionalProperties: false,
  unreachableDefinitions: true,
  bannerComment: "// Generated from daemon/tapledger/web/snapshots.py by `npm run types`. Do not edit.",
});
writeFileSync(join(ROOT, "src", "shared", "snapshots.d.ts"), code);
