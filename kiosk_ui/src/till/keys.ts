import type { TillLine } from "../shared/snapshots";

/** What may stand in the place of the lines while the cashier looks into it. */
export type PanelName = "coupons" | "points" | "value" | "top-up" | "why" | "parked" | "shift";

/** What a key asks for. Everything else is left to the field that has the focus. */
export type Action =
  | { do: "choose" | "coupon" | "receipt" | "recall"; number: number }
  | { do: "select" | "quantity"; step: 1 | -1 }
  | { do: "panel"; panel: PanelName }
  | { do: "details"; shown: boolean }
  | {
      do:
        | "void"
        | "park"
        | "undo"
        | "help-come"
        | "shift-report"
        | "shift-print"
        | "join"
        | "member-off"
        | "came-out"
        | "not-out"
        | "cash"
        | "card"
        | "mobile"
        | "sign-out"
        | "back"
        | "all-points"
        | "all-value"
        | "returns"
        | "return-all"
        | "return-void"
        | "return-fault"
        | "return-reason"
        | "return-confirm";
    };

/** Where a key was pressed. */
export interface Place {
  /** Which field has the focus; null for a button or nothing at all. */
  field: "box" | "name" | "received" | "points" | "value" | "top-up" | "drawer" | null;
  /** That field holds no text. */
  empty: boolean;
  /** The pay panel is open. */
  paying: boolean;
  /** How many meanings wait for a choice. */
  choices: number;
  lines: number;
  panel: PanelName | null;
  /** Goods come back; `receipts` can be chosen while no sale is open. */
  returning: boolean;
  receipts: number;
  /** Baskets that wait. */
  parked: number;
  /** Somebody who is no member yet was shown. */
  stranger: boolean;
  /** Of some slip only a person knows whether it came out. */
  doubtful: boolean;
}

const ANYWHERE: Readonly<Record<string, Action>> = {
  F10: { do: "sign-out" },
  F11: { do: "help-come" },
  Escape: { do: "back" },
};
const WHILE_PAYING: Readonly<Record<string, Action>> = {
  F12: { do: "cash" },
  F6: { do: "card" },
  F7: { do: "mobile" },
};
const ALONG_LINES: Readonly<Record<string, Action>> = {
  ArrowUp: { do: "select", step: -1 },
  ArrowDown: { do: "select", step: 1 },
};
const WHILE_RETURNING: Readonly<Record<string, Action>> = {
  ...ALONG_LINES,
  F2: { do: "return-all" },
  F3: { do: "return-void" },
  F6: { do: "return-fault" },
  F7: { do: "return-reason" },
  F12: { do: "return-confirm" },
};
const AT_BASKET: Readonly<Record<string, Action>> = {
  ...ALONG_LINES,
  F1: { do: "panel", panel: "shift" },
  F2: { do: "member-off" },
  F3: { do: "panel", panel: "coupons" },
  F4: { do: "panel", panel: "points" },
  F5: { do: "panel", panel: "value" },
  F6: { do: "park" },
  F7: { do: "panel", panel: "parked" },
  F8: { do: "returns" },
  F9: { do: "panel", panel: "why" },
  F12: { do: "cash" },
};
/** Keys of their own: what parks a basket every day must never answer for a slip once. */
const WHILE_DOUBTFUL: Readonly<Record<string, Action>> = {
  PageUp: { do: "came-out" },
  PageDown: { do: "not-out" },
};
/** In a panel its own key means the most of it; another panel's key goes there. */
const IN_PANEL: Readonly<Record<PanelName, Readonly<Record<string, Action>>>> = {
  coupons: {},
  points: { F4: { do: "all-points" } },
  value: { F5: { do: "all-value" }, F6: { do: "panel", panel: "top-up" } },
  "top-up": WHILE_PAYING,
  why: {},
  parked: {},
  shift: { F2: { do: "shift-report" }, F3: { do: "shift-print" } },
};
/** What Ctrl takes back; in a field it is the field's own. */
const UNDO = "z";
/** They mean a line only while there is one and nothing is being typed: a phone number may begin with +. */
const ON_A_LINE: Readonly<Record<string, Action>> = {
  "+": { do: "quantity", step: 1 },
  "-": { do: "quantity", step: -1 },
  Delete: { do: "void" },
  ArrowRight: { do: "details", shown: true },
  ArrowLeft: { do: "details", shown: false },
};

/** Returns what a key means together with Ctrl. */
export function withControl(key: string, place: Place): Action | null {
  return key.toLowerCase() === UNDO && place.empty && !place.returning && !place.paying ? { do: "undo" } : null;
}

/** Returns what a key means at this place, or null when it is an ordinary key there. */
export function actionFor(key: string, place: Place): Action | null {
  const always = ANYWHERE[key];
  if (always) return always;
  if (place.returning) return WHILE_RETURNING[key] ?? inEmptyBox(key, place);
  if (place.paying) return WHILE_PAYING[key] ?? null;
  if (key === "F3" && place.stranger) return { do: "join" };
  const inPanel = place.panel && IN_PANEL[place.panel][key];
  if (!inPanel && place.doubtful && WHILE_DOUBTFUL[key]) return WHILE_DOUBTFUL[key];
  return inPanel || AT_BASKET[key] || inEmptyBox(key, place);
}

/** Returns what a key means while nothing is being typed. */
function inEmptyBox(key: string, place: Place): Action | null {
  if ((place.field !== "box" && place.field !== null) || !place.empty) return null;
  if (/^[0-9]$/.test(key)) return byDigit(Number(key), place);
  const means = place.lines > 0 ? ON_A_LINE[key] : undefined;
  return means && !(place.returning && means.do === "details") ? means : null;
}

function byDigit(number: number, place: Place): Action | null {
  if (place.returning) return number > 0 && number <= place.receipts ? { do: "receipt", number } : null;
  if (number > 0 && number <= place.choices) return { do: "choose", number };
  if (place.panel === "parked") return number > 0 && number <= place.parked ? { do: "recall", number } : null;
  return place.panel === "coupons" ? { do: "coupon", number } : null;
}

/** Returns the line to select after a change: the one that changed, else the same place; null without lines. */
export function selectionAfter(before: TillLine[], after: TillLine[], selected: number | null): number | null {
  if (after.length === 0) return null;
  const changed = after.filter((line, place) => {
    const old = before[place];
    return old === undefined || old.sku !== line.sku || old.quantity !== line.quantity;
  });
  const newest = changed[changed.length - 1];
  if (newest && after.length >= before.length) return newest.number;
  return Math.min(selected ?? after.length, after.length);
}
