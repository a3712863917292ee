import type { TillLine } from "../shared/snapshots";

/** What a key asks for. Everything else is left to the field that has the focus. */
export type Action =
  | { do: "choose"; number: number }
  | { do: "select" | "quantity"; step: 1 | -1 }
  | { do: "void" | "join" | "member-off" | "cash" | "card" | "mobile" | "sign-out" | "back" };

/** Where a key was pressed. */
export interface Place {
  /** Which field has the focus; null for a button or nothing at all. */
  field: "box" | "name" | "received" | null;
  /** That field holds no text. */
  empty: boolean;
  /** The pay panel is open. */
  paying: boolean;
  /** How many meanings wait for a choice. */
  choices: number;
  lines: number;
}

const ANYWHERE: Readonly<Record<string, Action>> = {
  F10: { do: "sign-out" },
  F12: { do: "cash" },
  Escape: { do: "back" },
};
const WHILE_PAYING: Readonly<Record<string, Action>> = { F6: { do: "card" }, F7: { do: "mobile" } };
const AT_BASKET: Readonly<Record<string, Action>> = {
  F2: { do: "member-off" },
  F3: { do: "join" },
  ArrowUp: { do: "select", step: -1 },
  ArrowDown: { do: "select", step: 1 },
};
/** They mean a line only while there is one and nothing is being typed: a phone number may begin with +. */
const ON_A_LINE: Readonly<Record<string, Action>> = {
  "+": { do: "quantity", step: 1 },
  "-": { do: "quantity", step: -1 },
  Delete: { do: "void" },
};

/** Returns what a key means at this place, or null when it is an ordinary key there. */
export function actionFor(key: string, place: Place): Action | null {
  const always = ANYWHERE[key];
  if (always) return always;
  if (place.paying) return WHILE_PAYING[key] ?? null;
  const atBasket = AT_BASKET[key];
  if (atBasket) return atBasket;
  if (place.field === "name" || !place.empty) return null;
  if (/^[1-9]$/.test(key) && Number(key) <= place.choices) return { do: "choose", number: Number(key) };
  return place.lines > 0 ? (ON_A_LINE[key] ?? null) : null;
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
