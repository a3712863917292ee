import type { Balance } from "../shared/snapshots";
import { Lock } from "../shared/icons";
import { Button } from "./button";
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

/** What this tap brought first, then what limits it now, then what would be lost or missed. */
function Notes({ screen }: { screen: Balance }) {
  const { say, number, day } = useTexts();
  const { expiring, next_tier: nextTier, best_coupons: coupons, offline } = screen;
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
      {offline && (
        <li class="given" data-testid="offline">
          {say("kiosk.balance.offline", { limit: number(offline.limit_points), left: number(offline.left_points) })}
        </li>
      )}
      {screen.value != null && (
        <li data-testid="value">{say("kiosk.balance.value", { amount: screen.value })}</li>
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
  return (
    <nav class="look-up">
      {(screen.more_rewards || screen.rewards.length > 2) && (
        <Button
          id="more-rewards"
          kind={screen.more_rewards ? "quiet more" : "quiet more only-small"}
          act={() => intend("rewards")}
        >
          {say("kiosk.balance.more")}
        </Button>
      )}
      {screen.activities > 0 && (
        <Button id="activities" kind="quiet more" act={() => intend("activities")}>
          {say("kiosk.action.activities", { count: number(screen.activities) })}
        </Button>
      )}
      {screen.coupons > 0 && (
        <Button id="coupons" kind="quiet more" act={() => intend("coupons")}>
          {say("kiosk.action.coupons", { count: number(screen.coupons) })}
        </Button>
      )}
      {screen.has_value && screen.value == null && (
        <Button id="show-value" kind="quiet more" icon={Lock} act={() => intend("value")}>
          {say("kiosk.action.value")}
        </Button>
      )}
      <Button id="history" kind="quiet more" act={() => intend("history")}>
        {say("kiosk.action.history")}
      </Button>
    </nav>
  );
}
