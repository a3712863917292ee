import type { Balance } from "../shared/snapshots";
import { Chevron } from "../shared/icons";
import { pressed } from "../shared/press";
import type { Intend } from "./intents";
import { MemberLine, PointsFigure } from "./member";
import { RewardCard } from "./reward_card";
import { useTexts } from "./texts";

interface Props {
  screen: Balance;
  asOf: string | null;
  intend: Intend;
}

/** What a member came for, without a touch: points, what is about to be lost, what they buy. */
export function BalanceScreen({ screen, asOf, intend }: Props) {
  const { say } = useTexts();
  return (
    <>
      <section class="reading">
        <MemberLine member={screen.member} />
        <PointsFigure points={screen.points} asOf={asOf} />
        <Notes screen={screen} />
      </section>
      <section class="acting choose" aria-labelledby="rewards-title">
        <h2 id="rewards-title" class="acting-title">
          {say(screen.rewards.length > 0 ? "kiosk.balance.rewards" : "kiosk.balance.no_rewards")}
        </h2>
        <ul class="rewards few">
          {screen.rewards.map((reward) => (
            <RewardCard key={reward.id} reward={reward} intend={intend} />
          ))}
        </ul>
        <LookUp screen={screen} intend={intend} />
      </section>
    </>
  );
}

/** What this tap brought first, then what would be lost or missed. */
function Notes({ screen }: { screen: Balance }) {
  const { say, number, day } = useTexts();
  const { expiring, next_tier: nextTier, best_coupons: coupons } = screen;
  const names = coupons.map(({ title, last_day }) =>
    last_day ? say("kiosk.balance.coupon_until", { title, day: day(last_day) }) : title,
  );
  return (
    <ul class="notes">
      {screen.given.length > 0 && (
        <li class="given" data-testid="given">
          {screen.given.join(" · ")}
        </li>
      )}
      {expiring && (
        <li data-testid="expiring">
          {say("kiosk.balance.expiring", { points: number(expiring.points), day: day(expiring.last_day) })}
        </li>
      )}
      {nextTier && (
        <li data-testid="next-tier">
          {say("kiosk.balance.next_tier", { missing: nextTier.missing, tier: nextTier.name })}
        </li>
      )}
      {screen.ways_up.length > 0 && <li data-testid="ways-up">{screen.ways_up.join(" · ")}</li>}
      {names.length > 0 && (
        <li data-testid="best-coupons">
          {say("kiosk.balance.coupons", { count: number(screen.coupons), names: names.join(" · ") })}
        </li>
      )}
    </ul>
  );
}

/** What else can be looked up; the small panel shows fewer rewards, so it offers all of them sooner. */
function LookUp({ screen, intend }: { screen: Balance; intend: Intend }) {
  const { say, number } = useTexts();
  const all = screen.more_rewards ? "button quiet more" : "button quiet more only-small";
  return (
    <nav class="look-up">
      {(screen.more_rewards || screen.rewards.length > 2) && (
        <button type="button" class={all} data-testid="more-rewards" onClick={pressed(() => intend("rewards"))}>
          <span>{say("kiosk.balance.more")}</span>
          <Chevron />
        </button>
      )}
      {screen.coupons > 0 && (
        <button
          type="button"
          class="button quiet more"
          data-testid="coupons"
          onClick={pressed(() => intend("coupons"))}
        >
          <span>{say("kiosk.action.coupons", { count: number(screen.coupons) })}</span>
          <Chevron />
        </button>
      )}
      {screen.has_history && (
        <button
          type="button"
          class="button quiet more"
          data-testid="history"
          onClick={pressed(() => intend("history"))}
        >
          <span>{say("kiosk.action.history")}</span>
          <Chevron />
        </button>
      )}
    </nav>
  );
}
