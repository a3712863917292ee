// Fails the build when what a face loads (page, scripts, styles; gzip -9) grows past its budget.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const DIST = join(import.meta.dirname, "..", "dist");
const BUDGETS_KB = { kiosk: 35, till: 60, console: 120 };

function loadedBy(page) {
  const found = new Set();
  const queue = [page];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const text = readFileSync(join(DIST, path), "utf8");
    for (const [, name] of text.matchAll(/["'](?:\/assets|\.)\/([\w.-]+\.(?:js|css))["']/g)) queue.push(`assets/${name}`);
  }
  return [...found];
}

let failed = false;
for (const [face, budget_kb] of Object.entries(BUDGETS_KB)) {
  const size_kb =
    loadedBy(`${face}.html`)
      .map((path) => gzipSync(readFileSync(join(DIST, path)), { level: 9 }).length)
      .reduce((sum, size) => sum + size, 0) / 1000;
  failed ||= size_kb > budget_kb;
  console.log(`${face}: ${size_kb.toFixed(1)} kB gz of ${budget_kb} kB`);
}
process.exit(failed ? 1 : 0);
