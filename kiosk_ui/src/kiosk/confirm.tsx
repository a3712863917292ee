import { Back, Card, Check, Lock, Printer } from "../shared/icons";
import type { Confirm } from "../shared/snapshots";
import { Button } from "./button";
import type { Intend } from "./intents";
import { MemberLine } from "./member";
import { TapPicture } from "./pictures";
import { type MessageId, useTexts } from "./texts";

interface Props {
  screen: Confirm;
  /** A slip would not come out now. */
  noPaper: boolean;
  intend: Intend;
}

const NEXT = { tap: ["kiosk.confirm.tap", Card], pin: ["kiosk.confirm.pin", Lock] } as const;

/** Asks once before points are spent: by a touch, by the card once more, or by a touch and the PIN. */
export function ConfirmScreen({ screen, noPaper, intend }: Props) {
  const { say, number } = useTexts();
  const { reward, how = "touch" } = screen;
  const points = number(reward.cost_points);
  return (
    <>
      <section class="reading asking">
        <MemberLine member={screen.member} />
        <p class="question" data-testid="question">
          {say("kiosk.confirm.question", { points, reward: reward.title })}
        </p>
        <p class="notes">{say("kiosk.confirm.after", { points: number(screen.points_after) })}</p>
        {how !== "touch" && <Next how={how} />}
        {noPaper && (
          <p class="slip-state" role="status" data-slip="failed" data-testid="no-paper">
            <Printer />
            <span>{say("kiosk.confirm.no_paper")}</span>
          </p>
        )}
      </section>
      <section class={how === "tap" ? "acting decide by-card" : "acting decide"}>
        {how === "tap" ? (
          <TapPicture />
        ) : (
          <Button
            id="confirm"
            kind="primary huge"
            icon={how === "pin" ? Lock : Check}
            act={() => intend("confirm", { reward: reward.id })}
          >
            {say("kiosk.confirm.yes", { points })}
          </Button>
        )}
        <Button id="back" icon={Back} act={() => intend("back")}>
          {say("kiosk.confirm.no")}
        </Button>
      </section>
    </>
  );
}

function Next({ how }: { how: keyof typeof NEXT }) {
  const { say } = useTexts();
  const [words, Icon] = NEXT[how];
  return (
    <p class="slip-state given" data-testid="confirm-how" data-how={how}>
      <Icon />
      <span>{say(words satisfies MessageId)}</span>
    </p>
  );
}
