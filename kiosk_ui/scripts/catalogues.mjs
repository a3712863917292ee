// Compiles locales/*.po into one typed module per face and fails on any text that is missing, unused or uneven.
//
// Ids are stable keys, "<face>.<screen>.<what>"; those of "shared" go into every face.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileMessageOrThrow } from "@lingui/message-utils/compileMessage";
import { po } from "gettext-parser";

const ROOT = join(import.meta.dirname, "..");
const LANGUAGES = ["zh-Hans", "zh-Hant", "en", "ja"];
const FACES = ["kiosk", "till", "display", "console"];
/** Faces whose languages are files of their own, fetched when they are spoken; what begins like this is not. */
const SPLIT = { kiosk: ["kiosk.lost.", "kiosk.starting."] };
const faults = [];

function read(language) {
  const entries = po.parse(readFileSync(join(ROOT, "locales", `${language}.po`))).translations[""] ?? {};
  return new Map(
    Object.values(entries)
      .filter((entry) => entry.msgid !== "")
      .map((entry) => [entry.msgid, entry.msgstr[0] ?? ""]),
  );
}

function placeholders(text) {
  return [...new Set([...text.matchAll(/\{\s*(\w+)/g)].map((match) => match[1]))].sort().join(",");
}

function sources(folder) {
  return readdirSync(join(ROOT, "src", folder), { recursive: true })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(join(ROOT, "src", folder, name), "utf8"))
    .join("\n");
}

function checkAgainstEachOther(catalogues) {
  const ids = new Set(LANGUAGES.flatMap((language) => [...catalogues[language].keys()]));
  for (const id of ids) {
    const texts = LANGUAGES.map((language) => catalogues[language].get(id) ?? "");
    LANGUAGES.forEach((language, index) => {
      if (texts[index].trim() === "") faults.push(`${language}: no text for "${id}"`);
    });
    if (new Set(texts.filter(Boolean).map(placeholders)).size > 1) faults.push(`"${id}": placeholders differ`);
  }
  return [...ids].sort();
}

function compiled(ids, catalogue) {
  return Object.fromEntries(ids.map((id) => [id, compileMessageOrThrow(catalogue.get(id) ?? "")]));
}

function compile(face, ids, catalogues) {
  const mine = ids.filter((id) => id.startsWith(`${face}.`) || id.startsWith("shared."));
  const early = SPLIT[face];
  const first = early ? mine.filter((id) => early.some((start) => id.startsWith(start))) : mine;
  const messages = Object.fromEntries(LANGUAGES.map((language) => [language, compiled(first, catalogues[language])]));
  const type = early ? "Partial<Record<MessageId, CompiledMessage>>" : "Record<MessageId, CompiledMessage>";
  const code = [
    "// Generated from locales/*.po by scripts/catalogues.mjs.",
    'import type { CompiledMessage } from "@lingui/message-utils/compileMessage";',
    `export type MessageId =\n${mine.map((id) => `  | ${JSON.stringify(id)}`).join("\n")};`,
    `export type Language = ${LANGUAGES.map((language) => JSON.stringify(language)).join(" | ")};`,
    `export const messages: Record<Language, ${type}> = ${JSON.stringify(messages)};`,
  ];
  if (early) {
    const rest = mine.filter((id) => !first.includes(id));
    code.push("export const rest = {");
    for (const language of LANGUAGES) {
      writeFileSync(
        join(ROOT, "src", "catalogues", `${face}.${language}.ts`),
        `export const messages = ${JSON.stringify(compiled(rest, catalogues[language]))};\n`,
      );
      code.push(`  ${JSON.stringify(language)}: () => import("./${face}.${language}"),`);
    }
    code.push("};");
  }
  writeFileSync(join(ROOT, "src", "catalogues", `${face}.ts`), `${code.join("\n")}\n`);
}

const catalogues = Object.fromEntries(LANGUAGES.map((language) => [language, read(language)]));
const ids = checkAgainstEachOther(catalogues);
for (const id of ids) {
  const face = id.split(".")[0];
  const folders = face === "shared" ? ["shared", ...FACES] : [face];
  if (!folders.some((folder) => sources(folder).includes(`"${id}"`))) faults.push(`"${id}" is used nowhere`);
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
mkdirSync(join(ROOT, "src", "catalogues"), { recursive: true });
FACES.forEach((face) => compile(face, ids, catalogues));
