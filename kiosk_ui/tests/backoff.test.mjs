import assert from "node:assert/strict";
import test from "node:test";

import { reconnectWaitS } from "../build/pure/shared/backoff.js";

test("waits grow from 0.2 s to 5 s, whatever the jitter", () => {
  for (const random of [() => 0, () => 0.5, () => 1]) {
    const waits_s = Array.from({ length: 40 }, (_, attempt) => reconnectWaitS(attempt, random));
    assert.ok(waits_s[0] >= 0.1 && waits_s[0] <= 0.2);
    assert.ok(waits_s.every((wait_s, at) => at === 0 || wait_s >= waits_s[at - 1]));
    assert.ok(waits_s.at(-1) >= 2.5 && waits_s.at(-1) <= 5);
  }
});
