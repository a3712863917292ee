import { Chevron, Lock } from "../shared/icons";
import { pressed } from "../shared/press";
import type { RewardView } from "../shared/snapshots";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

/** One reward: a button when it can be had now, else the same card with the reason and nothing to press. */
export function RewardCard({ reward, intend }: { reward: RewardView; intend: Intend }) {
  const { say, number } = useTexts();
  const cost = (
    <span class="reward-cost">
      <strong>{number(reward.cost_points)}</strong> {say("kiosk.member.points_unit")}
    </span>
  );
  if (!reward.available) {
    return (
      <li>
        <div class="reward unavailable" data-testid={`reward-${reward.id}`} data-available="false">
          <span class="reward-title">{reward.title}</span>
          {cost}
          <span class="reward-why">
            <Lock />
            <span>{reward.why_not ?? say("kiosk.reward.unavailable")}</span>
          </span>
        </div>
      </li>
    );
  }
  return (
    <li>
      <button
        type="button"
        class="reward"
        data-testid={`reward-${reward.id}`}
        data-available="true"
        onClick={pressed(() => intend("choose", { reward: reward.id }))}
      >
        <span class="reward-title">{reward.title}</span>
        {cost}
        <span class="reward-go">
          <span>{say("kiosk.reward.redeem")}</span>
          <Chevron />
        </span>
      </button>
    </li>
  );
}
