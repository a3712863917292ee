import { useRef } from "preact/hooks";

import type { TillLine } from "../shared/snapshots";
import type { Intend } from "./intents";

export interface Quantities {
  /** Sets the quantity of a line; 0 voids it. */
  change: (line: TillLine, quantity: number) => void;
  /** One more or one less, never down to nothing: that is `change(line, 0)`. */
  step: (line: TillLine, step: 1 | -1) => void;
}

/** The daemon takes absolute quantities: quick steps count on from the last one asked for, not from the screen. */
export function useQuantities(intend: Intend): Quantities {
  const asked = useRef<{ sku: string; quantity: number; unanswered: number } | null>(null);

  function change(line: TillLine, quantity: number): void {
    const unanswered = asked.current?.sku === line.sku ? asked.current.unanswered : 0;
    const now = { sku: line.sku, quantity, unanswered: unanswered + 1 };
    asked.current = now;
    void intend("quantity", { number: line.number, quantity: String(quantity) }).then(() => {
      if (asked.current?.sku !== line.sku) return;
      asked.current.unanswered -= 1;
      if (asked.current.unanswered === 0) asked.current = null;
    });
  }

  function step(line: TillLine, by: 1 | -1): void {
    const from = asked.current?.sku === line.sku ? asked.current.quantity : Number(line.quantity);
    if (from + by >= 1) change(line, from + by);
  }

  return { change, step };
}
