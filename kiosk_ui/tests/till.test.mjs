import assert from "node:assert/strict";
import { test } from "node:test";

import { actionFor, selectionAfter } from "../build/pure/till/keys.js";
import { decimalText, likelyCash, readMinor } from "../build/pure/till/money.js";

test("a typed amount becomes minor units of the currency", () => {
  assert.equal(readMinor("20", 2), 2000);
  assert.equal(readMinor(" 20.5 ", 2), 2050);
  assert.equal(readMinor(".05", 2), 5);
  assert.equal(readMinor("0.07", 2), 7);
  assert.equal(readMinor("１２。５０", 2), 1250);
  assert.equal(readMinor("1200", 0), 1200);
  assert.equal(readMinor("1.234", 3), 1234);
});

test("what is no amount is refused instead of guessed", () => {
  for (const text of ["", ".", "-1", "+1", "1e3", "1,000", "1.234", "1.2.3", "5x", "NaN", "12345678901"]) {
    assert.equal(readMinor(text, 2), null, text);
  }
  assert.equal(readMinor("1.5", 0), null);
});

test("every amount is read back as it was written, where a float would not", () => {
  for (const minor of [0, 1, 9, 10, 99, 100, 29, 57, 113, 115, 1999, 31850, 999999999999]) {
    for (const digits of [0, 2, 3]) assert.equal(readMinor(decimalText(minor, digits), digits), minor);
  }
});

test("likely amounts cover what is due, least first, and never repeat it", () => {
  assert.deepEqual(likelyCash(1200, 2), [2000, 5000, 10000]);
  assert.deepEqual(likelyCash(29900, 2), [30000]);
  assert.deepEqual(likelyCash(10000, 2), []);
});

const AT_BOX = {
  field: "box",
  empty: true,
  paying: false,
  choices: 0,
  lines: 2,
  panel: null,
  returning: false,
  receipts: 0,
  stranger: false,
  doubtful: false,
  parked: 0,
};

test("keys act on a line only while nothing is being typed and there is one", () => {
  assert.deepEqual(actionFor("+", AT_BOX), { do: "quantity", step: 1 });
  assert.deepEqual(actionFor("Delete", AT_BOX), { do: "void" });
  for (const place of [{ empty: false }, { lines: 0 }, { field: "name" }, { paying: true, field: "received" }]) {
    assert.equal(actionFor("+", { ...AT_BOX, ...place }), null);
    assert.equal(actionFor("Delete", { ...AT_BOX, ...place }), null);
  }
});

test("a digit chooses only what is offered and only into an empty box", () => {
  assert.deepEqual(actionFor("2", { ...AT_BOX, choices: 2 }), { do: "choose", number: 2 });
  assert.equal(actionFor("3", { ...AT_BOX, choices: 2 }), null);
  assert.equal(actionFor("2", { ...AT_BOX, choices: 2, empty: false }), null);
  assert.equal(actionFor("1", AT_BOX), null);
});

test("tenders have keys in the pay panel only", () => {
  assert.deepEqual(actionFor("F6", AT_BOX), { do: "park" });
  assert.deepEqual(actionFor("F6", { ...AT_BOX, paying: true, field: "received" }), { do: "card" });
  assert.deepEqual(actionFor("F12", AT_BOX), { do: "cash" });
});

test("each panel has its key, and its own key in it means all of it", () => {
  assert.deepEqual(actionFor("F4", AT_BOX), { do: "panel", panel: "points" });
  assert.deepEqual(actionFor("F4", { ...AT_BOX, panel: "points", field: "points" }), { do: "all-points" });
  assert.deepEqual(actionFor("F5", { ...AT_BOX, panel: "value", field: "value" }), { do: "all-value" });
  assert.deepEqual(actionFor("F6", { ...AT_BOX, panel: "top-up", field: "top-up" }), { do: "card" });
  assert.deepEqual(actionFor("F3", AT_BOX), { do: "panel", panel: "coupons" });
  assert.deepEqual(actionFor("F3", { ...AT_BOX, stranger: true }), { do: "join" });
  assert.deepEqual(actionFor("PageUp", { ...AT_BOX, doubtful: true }), { do: "came-out" });
  assert.deepEqual(actionFor("PageDown", { ...AT_BOX, doubtful: true }), { do: "not-out" });
  assert.equal(actionFor("PageUp", AT_BOX), null);
  // While money is taken, nobody is asked, and F6 means how it is paid.
  assert.deepEqual(actionFor("F6", { ...AT_BOX, paying: true, doubtful: true }), { do: "card" });
  assert.equal(actionFor("5", { ...AT_BOX, panel: "points", field: "points", empty: false }), null);
});

test("digits toggle coupons while the chooser is open and the box is empty", () => {
  const choosing = { ...AT_BOX, panel: "coupons" };
  assert.deepEqual(actionFor("2", choosing), { do: "coupon", number: 2 });
  assert.deepEqual(actionFor("0", choosing), { do: "coupon", number: 0 });
  assert.equal(actionFor("2", { ...choosing, empty: false }), null);
});

test("while goods come back the keys mean the return and nothing else", () => {
  const returning = { ...AT_BOX, returning: true, receipts: 2 };
  assert.deepEqual(actionFor("2", returning), { do: "receipt", number: 2 });
  assert.equal(actionFor("3", returning), null);
  assert.deepEqual(actionFor("F12", returning), { do: "return-confirm" });
  assert.deepEqual(actionFor("F2", returning), { do: "return-all" });
  for (const key of ["F4", "F5", "F8", "F9"]) assert.equal(actionFor(key, returning), null);
});

function lines(...sold) {
  return sold.map(([sku, quantity], place) => ({ number: place + 1, sku, quantity }));
}

test("the line that changed is selected, whether it is new or one more of an old one", () => {
  const before = lines(["a", "1"], ["b", "1"]);
  assert.equal(selectionAfter([], before, null), 2);
  assert.equal(selectionAfter(before, lines(["a", "2"], ["b", "1"]), 2), 1);
  assert.equal(selectionAfter(before, before, 1), 1);
});

test("a voided line leaves the selection where it was, inside the basket", () => {
  const before = lines(["a", "1"], ["b", "1"], ["c", "1"]);
  assert.equal(selectionAfter(before, lines(["a", "1"], ["c", "1"]), 2), 2);
  assert.equal(selectionAfter(before, lines(["a", "1"], ["b", "1"]), 3), 2);
  assert.equal(selectionAfter(before, [], 1), null);
});
