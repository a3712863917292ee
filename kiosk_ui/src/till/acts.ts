import type { Till } from "../shared/snapshots";
import { answerDoubt } from "./attention";
import type { Intend } from "./intents";
import type { Action } from "./keys";
import { REASONS } from "./returning";

/** What keys act on. */
export interface Acts {
  till: Till;
  intend: Intend;
  /** Number of the selected line of the basket ... */
  selected: number | null;
  select: (number: number) => void;
  /** ... and of the sale that comes back. */
  returned: number | null;
  selectReturned: (number: number) => void;
}

function along(selected: number | null, step: number, count: number): number {
  return Math.max(1, Math.min(count, (selected ?? 0) + step));
}

/** Answers who calls from the kiosk, and whether a slip came out; false when the action is about something else. */
export function onCalls(action: Action, { till, intend }: Acts): boolean {
  if (action.do === "help-come") void intend("help");
  else if (action.do === "came-out" || action.do === "not-out") answerDoubt(till, action.do === "came-out", intend);
  else return false;
  return true;
}

/** Acts on the basket and its member; false when the action is about something else. */
export function onLines(action: Action, acts: Acts): boolean {
  const { till, intend } = acts;
  if (till.returning) return false;
  const line = till.lines.find(({ number, gift }) => number === acts.selected && !gift);
  switch (action.do) {
    case "choose":
      void intend("choose", { number: action.number });
      return true;
    case "coupon":
      void intend("coupon", { number: action.number });
      return true;
    case "recall":
      void intend("recall", { number: action.number });
      return true;
    case "park":
    case "undo":
    case "shift-report":
    case "shift-print":
      void intend(action.do);
      return true;
    case "select":
      acts.select(along(acts.selected, action.step, till.lines.length));
      return true;
    case "quantity":
      if (line) void intend("step", { sku: line.sku, by: action.step });
      return true;
    case "void":
      if (line) void intend("quantity", { sku: line.sku, quantity: "0" });
      return true;
    case "member-off":
      if (till.member) void intend("member-off");
      return true;
    case "returns":
      void intend("returns");
      return true;
    default:
      return false;
  }
}

/** Acts on the sale that comes back. */
export function onReturn(action: Action, acts: Acts): boolean {
  const { till, intend } = acts;
  const sale = till.returning?.sale;
  if (!till.returning) return false;
  if (action.do === "receipt") {
    void intend("return-receipt", { number: action.number });
    return true;
  }
  if (!sale) return action.do !== "back" && action.do !== "sign-out";
  const line = sale.lines.find(({ number }) => number === acts.returned);
  const { reason, shop_fault } = sale;
  switch (action.do) {
    case "select":
      acts.selectReturned(along(acts.returned, action.step, sale.lines.length));
      return true;
    case "quantity":
      if (line) void intend("return-step", { number: line.number, by: action.step });
      return true;
    case "void":
      if (line) void intend("return-line", { number: line.number, quantity: "0" });
      return true;
    case "return-all":
      void intend("return-all");
      return true;
    case "return-void":
      if (sale.can_void) void intend("return-void", { on: !sale.void });
      return true;
    case "return-fault":
      void intend("return-reason", { shop_fault: !shop_fault });
      return true;
    case "return-reason": {
      const codes = Object.keys(REASONS);
      const next = codes[(codes.indexOf(reason) + 1) % codes.length];
      void intend("return-reason", { reason: next });
      return true;
    }
    case "return-confirm":
      if (sale.refund !== null) void intend("return-confirm", { refund_minor: sale.refund_minor });
      return true;
    default:
      return false;
  }
}
