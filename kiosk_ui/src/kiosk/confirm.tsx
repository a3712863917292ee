import { Back, Check, Printer } from "../shared/icons";
import { pressed } from "../shared/press";
import type { Confirm } from "../shared/snapshots";
import type { Intend } from "./intents";
import { MemberLine } from "./member";
import { useTexts } from "./texts";

interface Props {
  screen: Confirm;
  /** A slip would not come out now. */
  noPaper: boolean;
  intend: Intend;
}

export function ConfirmScreen({ screen, noPaper, intend }: Props) {
  const { say, number } = useTexts();
  const { reward } = screen;
  return (
    <>
      <section class="reading asking">
        <MemberLine member={screen.member} />
        <p class="question" data-testid="question">
          {say("kiosk.confirm.question", { points: number(reward.cost_points), reward: reward.title })}
        </p>
        <p class="notes">{say("kiosk.confirm.after", { points: number(screen.points_after) })}</p>
        {noPaper && (
          <p class="slip-state" role="status" data-slip="failed" data-testid="no-paper">
            <Printer />
            <span>{say("kiosk.confirm.no_paper")}</span>
          </p>
        )}
      </section>
      <section class="acting decide">
        <button
          type="button"
          class="button primary huge"
          data-testid="confirm"
          onClick={pressed(() => intend("confirm", { reward: reward.id }))}
        >
          <Check />
          <span>{say("kiosk.confirm.yes", { points: number(reward.cost_points) })}</span>
        </button>
        <button type="button" class="button quiet" data-testid="back" onClick={pressed(() => intend("back"))}>
          <Back />
          <span>{say("kiosk.confirm.no")}</span>
        </button>
      </section>
    </>
  );
}
