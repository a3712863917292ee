import type { ComponentType } from "preact";

import { Check, Printer, Unsure, Warning } from "../shared/icons";
import type { LastSale } from "../shared/snapshots";
import { type MessageId, useTexts } from "./texts";

const SLIP: Record<LastSale["slip"], { words: MessageId; icon: ComponentType }> = {
  printing: { words: "till.slip.printing", icon: Printer },
  printed: { words: "till.slip.printed", icon: Check },
  failed: { words: "till.slip.failed", icon: Warning },
  unknown: { words: "till.slip.unknown", icon: Unsure },
  sent: { words: "till.slip.sent", icon: Printer },
};

/** What to hand back and whether the paper came; large until the next basket begins. */
export function LastSaleView({ sale, large }: { sale: LastSale; large: boolean }) {
  const { say, number } = useTexts();
  const { words, icon: Sign } = SLIP[sale.slip];
  return (
    <section class={large ? "last-sale large" : "last-sale"} data-testid="last-sale" aria-label={say("till.last.title")}>
      <h2>
        {say("till.last.title")} <span data-testid="receipt">{sale.receipt}</span>
      </h2>
      <p class="change">
        <span>{say("till.last.change")}</span> <strong data-testid="change">{sale.change}</strong>
      </p>
      <ul class="last-facts">
        <li>{say("till.last.total", { total: sale.total, tender: sale.tender })}</li>
        <li data-testid="earned">{say("till.last.earned", { points: number(sale.earned_points) })}</li>
      </ul>
      <p class="slip-state" role="status" data-testid="slip-state" data-slip={sale.slip}>
        <Sign />
        <span>{say(words)}</span>
      </p>
    </section>
  );
}
