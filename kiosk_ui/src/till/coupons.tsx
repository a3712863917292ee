import { Check, Ticket } from "../shared/icons";
import type { CouponChooser, TillCoupon } from "../shared/snapshots";
import type { Intend } from "./intents";
import { Panel } from "./panel";
import { useTexts } from "./texts";

interface Props {
  chooser: CouponChooser;
  intend: Intend;
  close: () => void;
}

/** Every coupon with what it saves or why it saves nothing; a digit takes one in or out, 0 is the best choice. */
export function CouponPanel({ chooser, intend, close }: Props) {
  const { say } = useTexts();
  const { automatic, better, coupons } = chooser;
  return (
    <Panel title={say("till.coupons.title")} name="coupons" close={close}>
      <div class="panel-note">
        <p role="status" data-testid="coupon-state">
          {say(automatic ? "till.coupons.best" : "till.coupons.own")}
          {better && <strong data-testid="better"> {say("till.coupons.better", { amount: better })}</strong>}
        </p>
        {!automatic && (
          <button
            type="button"
            class="button primary"
            data-testid="best-coupons"
            onClick={() => void intend("coupon", { number: 0 })}
          >
            <kbd>0</kbd>
            <span>{say("till.coupons.take_best")}</span>
          </button>
        )}
      </div>
      {coupons.length === 0 && <p class="empty">{say("till.coupons.none")}</p>}
      <ol class="coupon-list">
        {coupons.map((coupon) => (
          <Coupon
            key={coupon.number}
            coupon={coupon}
            toggle={() => void intend("coupon", { number: coupon.number })}
          />
        ))}
      </ol>
      {chooser.more > 0 && <p class="empty">{say("till.coupons.more", { count: chooser.more })}</p>}
      <ul class="hints" data-testid="coupon-notes">
        {chooser.notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </Panel>
  );
}

function Coupon({ coupon, toggle }: { coupon: TillCoupon; toggle: () => void }) {
  const { say, day } = useTexts();
  return (
    <li>
      <button
        type="button"
        class="coupon"
        aria-pressed={coupon.chosen}
        data-testid={`coupon-${coupon.number}`}
        data-usable={coupon.saves !== null}
        onClick={toggle}
      >
        {coupon.number <= 9 ? <kbd>{coupon.number}</kbd> : <Ticket />}
        <span class="coupon-name">
          <strong>{coupon.title}</strong>
          {coupon.last_day && <small>{say("till.coupons.until", { day: day(coupon.last_day) })}</small>}
          {coupon.why_not && <small class="because">{coupon.why_not}</small>}
        </span>
        <span class="coupon-saves">{coupon.saves && say("till.coupons.saves", { amount: coupon.saves })}</span>
        <span class="coupon-mark">{coupon.chosen && <Check />}</span>
      </button>
    </li>
  );
}
