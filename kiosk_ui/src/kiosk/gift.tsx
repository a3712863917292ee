import { Check, Gift as GiftIcon } from "../shared/icons";
import type { Gift } from "../shared/snapshots";
import { Button } from "./button";
import { Mark } from "./done";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

/** What a check-in, a survey or a ticket has brought. */
export function GiftScreen({ screen, intend }: { screen: Gift; intend: Intend }) {
  const { say, number } = useTexts();
  return (
    <>
      <section class="reading done">
        <h1 class="headline" tabIndex={-1}>
          <GiftIcon />
          <span data-testid="gift">{screen.title}</span>
        </h1>
        <ul class="notes" data-testid="given">
          {screen.sentences.map((sentence, place) => (
            <li key={place}>{sentence}</li>
          ))}
          <li data-testid="points-left">{say("kiosk.gift.points", { points: number(screen.points) })}</li>
        </ul>
      </section>
      <section class="acting delivered">
        <Mark icon={GiftIcon} />
        <Button id="back" kind="primary huge" icon={Check} act={() => intend("back")}>
          {say("kiosk.gift.thanks")}
        </Button>
      </section>
    </>
  );
}
