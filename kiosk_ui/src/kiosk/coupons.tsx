import { Lock, Ticket } from "../shared/icons";
import type { Coupons, CouponView } from "../shared/snapshots";
import type { Intend } from "./intents";
import { MemberLine } from "./member";
import { Pager } from "./pager";
import { itemsPerPage, usePages } from "./pages";
import { useTexts } from "./texts";

/** Every coupon with its last day, and why not where it cannot be used yet. They are used at the till. */
export function CouponsScreen({ screen, intend }: { screen: Coupons; intend: Intend }) {
  const { say } = useTexts();
  const { page, pages, shown, turn } = usePages(screen.coupons, itemsPerPage(), intend);
  return (
    <>
      <section class="reading">
        <MemberLine member={screen.member} />
        <p class="question">{say("kiosk.coupons.title")}</p>
        <p class="notes">{say("kiosk.coupons.next")}</p>
      </section>
      <section class="acting list">
        <ul class="rewards" data-testid="coupons-page" data-page={page + 1}>
          {shown.map((coupon, place) => (
            <Coupon key={`${page}-${place}`} coupon={coupon} />
          ))}
          {screen.coupons.length === 0 && <li class="acting-title">{say("kiosk.coupons.none")}</li>}
        </ul>
        <Pager page={page} pages={pages} turn={turn} back={() => intend("back")} />
      </section>
    </>
  );
}

function Coupon({ coupon }: { coupon: CouponView }) {
  const { say, day } = useTexts();
  const { last_day: lastDay, why_not: whyNot } = coupon;
  return (
    <li>
      <div class={whyNot ? "reward unavailable" : "reward"} data-testid="coupon">
        <span class="reward-title">{coupon.title}</span>
        <span class="reward-cost">
          {lastDay ? say("kiosk.coupons.until", { day: day(lastDay) }) : say("kiosk.coupons.for_ever")}
        </span>
        {whyNot ? (
          <span class="reward-why">
            <Lock />
            <span>{whyNot}</span>
          </span>
        ) : (
          <span class="reward-go">
            <Ticket />
          </span>
        )}
      </div>
    </li>
  );
}
