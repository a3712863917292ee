import assert from "node:assert/strict";
import { test } from "node:test";

import { standing } from "../build/pure/shared/refusals.js";

const REFUSED = { code: "NO", sentence: "No.", next_step: "Ask.", version: 7 };

test("a refusal outlives every frame that is older than it", () => {
  let now = { refused: REFUSED, about: "six", seen: 6 };
  for (const [version, key] of [[6, "six"], [6, "six"], [7, "seven"], [7, "seven"], [8, "seven"]]) {
    now = standing(now, version, key);
    assert.equal(now?.refused, REFUSED, `${version}`);
  }
});

test("a newer frame that shows something else ends it for good", () => {
  const over = standing({ refused: REFUSED, about: "seven", seen: 7 }, 8, "eight");
  assert.equal(over, null);
  assert.equal(standing(over, 9, "seven"), null);
});

test("without an answer of the daemon the next change ends it", () => {
  const now = standing({ refused: { ...REFUSED, version: 0 }, about: "six", seen: 6 }, 6, "six");
  assert.ok(now);
  assert.equal(standing(now, 7, "seven"), null);
});

test("a daemon that was started anew counts from one: what it shows ends it", () => {
  const now = standing({ refused: REFUSED, about: "six", seen: 6 }, 7, "seven");
  assert.equal(standing(now, 1, "seven"), null);
});
