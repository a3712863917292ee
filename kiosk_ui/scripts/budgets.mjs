// Fails the build when what a face loads (page, scripts, styles; gzip -9) grows past its budget: all that its first
// screen waits for, and of what is fetched later, such as the languages, the largest.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const DIST = join(import.meta.dirname, "..", "dist");
const BUDGETS_KB = { kiosk: 35, till: 60, display: 25, console: 120 };

const LATER = /import\(\s*["'`]\.\/([\w.-]+\.js)["'`]\s*\)/g;
const AT_ONCE = /["'`](?:\/assets|\.)\/([\w.-]+\.(?:js|css))["'`]/g;

function size(path) {
  return gzipSync(readFileSync(join(DIST, path)), { level: 9 }).length;
}

function loadedBy(page) {
  const found = new Set();
  const later = new Set();
  const queue = [page];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const text = readFileSync(join(DIST, path), "utf8");
    for (const [, name] of text.matchAll(LATER)) later.add(`assets/${name}`);
    for (const [, name] of text.replaceAll(LATER, "").matchAll(AT_ONCE)) queue.push(`assets/${name}`);
  }
  const largest = [...later].filter((path) => !found.has(path)).sort((a, b) => size(b) - size(a))[0];
  return largest ? [...found, largest] : [...found];
}

let failed = false;
for (const [face, budget_kb] of Object.entries(BUDGETS_KB)) {
  const size_kb =
    loadedBy(`${face}.html`)
      .map(size)
      .reduce((sum, size) => sum + size, 0) / 1000;
  failed ||= size_kb > budget_kb;
  console.log(`${face}: ${size_kb.toFixed(1)} kB gz of ${budget_kb} kB`);
}
process.exit(failed ? 1 : 0);
