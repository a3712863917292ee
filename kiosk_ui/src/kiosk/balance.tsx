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
  const { say, number, day } = useTexts();
  const { expiring, next_tier: nextTier } = screen;
  return (
    <>
      <section class="reading">
        <MemberLine member={screen.member} />
        <PointsFigure points={screen.points} asOf={asOf} />
        <ul class="notes">
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
        </ul>
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
        {screen.more_rewards && (
          <button type="button" class="button quiet more" data-testid="more-rewards" onClick={pressed(() => intend("rewards"))}>
            <span>{say("kiosk.balance.more")}</span>
            <Chevron />
          </button>
        )}
      </section>
    </>
  );
}
