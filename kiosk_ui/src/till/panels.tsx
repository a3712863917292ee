import type { Till } from "../shared/snapshots";
import { CouponPanel } from "./coupons";
import type { Intend } from "./intents";
import type { PanelName } from "./keys";
import { ParkedPanel } from "./parking";
import { MINOR_DIGITS, type Tender } from "./pay";
import { PointsPanel } from "./points";
import { ShiftPanel } from "./shift";
import { TopUpPanel, ValuePanel } from "./value";
import { WhyPanel } from "./why";

interface Props {
  name: PanelName;
  till: Till;
  intend: Intend;
  open: (name: PanelName) => void;
  close: (name: PanelName) => void;
  topUp: (tender: Tender) => void;
}

/** Draws the panel that is open. */
export function OpenPanel({ name, till, intend, open, close: closeOne, topUp }: Props) {
  const digits = till.totals.minor_digits ?? MINOR_DIGITS;
  const close = () => closeOne(name);
  switch (name) {
    case "coupons":
      return <CouponPanel chooser={till.coupons} intend={intend} close={close} />;
    case "points":
      return <PointsPanel points={till.points} intend={intend} close={close} />;
    case "value":
      return (
        <ValuePanel
          value={till.value}
          digits={digits}
          intend={intend}
          close={close}
          openTopUp={() => open("top-up")}
        />
      );
    case "top-up":
      return (
        <TopUpPanel
          topUp={till.value?.top_up ?? null}
          digits={digits}
          intend={intend}
          take={topUp}
          close={close}
        />
      );
    case "why":
      return <WhyPanel why={till.why} close={close} />;
    case "parked":
      return <ParkedPanel till={till} intend={intend} close={close} />;
    case "shift":
      return <ShiftPanel till={till} intend={intend} close={close} />;
  }
}
