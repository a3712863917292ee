import type { LastSale, Till } from "../shared/snapshots";
import { LastSaleView } from "./last_sale";
import { PayPanel, type Tender } from "./pay";
import { useTexts } from "./texts";
import { TotalsView } from "./totals";

interface Props {
  till: Till;
  paying: boolean;
  openPay: (open: boolean) => void;
  pay: (tender: Tender, receivedMinor: number) => void;
}

/** The right column: what is due, how it is paid, and the sale before. */
export function Checkout({ till, paying, openPay, pay }: Props) {
  const { say } = useTexts();
  const empty = till.lines.length === 0;
  return (
    <aside class="checkout">
      <TotalsView totals={till.totals} />
      {paying ? (
        <PayPanel totals={till.totals} pay={pay} close={() => openPay(false)} />
      ) : (
        <button
          type="button"
          class="button primary pay"
          disabled={empty}
          data-testid="pay"
          onClick={() => openPay(true)}
        >
          <span>{say("till.pay.title")}</span>
          <kbd>F12</kbd>
        </button>
      )}
      {!paying && !empty && till.last_sale && <LastSaleView sale={till.last_sale} large={false} />}
    </aside>
  );
}

/** Stands where the lines will be: the change of the sale before is still to be handed back. */
export function NoLines({ lastSale }: { lastSale: LastSale | null }) {
  const { say } = useTexts();
  return (
    <div class="no-lines">
      {lastSale && <LastSaleView sale={lastSale} large />}
      <p>{say("till.lines.none")}</p>
    </div>
  );
}
