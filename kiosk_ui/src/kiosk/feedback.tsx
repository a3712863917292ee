import { Back, Check } from "../shared/icons";
import { pressed } from "../shared/press";
import type { Feedback } from "../shared/snapshots";
import { Button } from "./button";
import { Mark } from "./done";
import type { Intend } from "./intents";
import { type MessageId, useTexts } from "./texts";

/** Mouths from 1, the worst, to 5. */
const FACES: [MessageId, string][] = [
  ["kiosk.feedback.face_1", "M7.5 17.5c2.5-3.5 6.5-3.5 9 0"],
  ["kiosk.feedback.face_2", "M8 17c2.2-2 5.8-2 8 0"],
  ["kiosk.feedback.face_3", "M8 16h8"],
  ["kiosk.feedback.face_4", "M8 15c2.2 2 5.8 2 8 0"],
  ["kiosk.feedback.face_5", "M7 14h10c-.5 5-9.5 5-10 0z"],
];

/** How was it? A touch on a face says it; a reason may follow. Nothing tells who said it (K13). */
export function FeedbackScreen({ screen, intend }: { screen: Feedback; intend: Intend }) {
  const { say } = useTexts();
  const { score } = screen;
  return (
    <>
      <section class="reading">
        <h1 class="question" tabIndex={-1} data-testid="feedback-title">
          {say(score === null ? "kiosk.feedback.title" : "kiosk.feedback.thanks")}
        </h1>
        <p class="notes">
          {say(score !== null && screen.reasons.length > 0 ? "kiosk.feedback.reason" : "kiosk.feedback.nameless")}
        </p>
      </section>
      <section class="acting opinion">
        {score === null ? (
          <div class="faces">
            {FACES.map(([name, mouth], place) => (
              <button
                key={name}
                type="button"
                class="button quiet face"
                data-testid={`score-${place + 1}`}
                onClick={pressed(() => intend("score", { score: place + 1 }))}
              >
                <Face mouth={mouth} />
                <span>{say(name)}</span>
              </button>
            ))}
          </div>
        ) : screen.reasons.length === 0 ? (
          <Mark icon={Check} />
        ) : (
          <div class="options">
            {screen.reasons.map((reason, place) => (
              <Button key={reason} id={`reason-${place}`} act={() => intend("reason", { number: place })}>
                {reason}
              </Button>
            ))}
          </div>
        )}
        <Button id="back" icon={Back} act={() => intend("back")}>
          {say(score === null ? "kiosk.feedback.skip" : "kiosk.action.back")}
        </Button>
      </section>
    </>
  );
}

function Face({ mouth }: { mouth: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <circle cx="12" cy="12" r="10" />
      <path d={mouth} />
      <path class="eyes" d="M8.5 9v.6M15.5 9v.6" />
    </svg>
  );
}
