import { useEffect, useRef } from "preact/hooks";

import { pressed } from "../shared/press";
import { useCountdown } from "./countdown";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

/** Draws the countdown to sign-out. The daemon decides when it ends; a touch anywhere beside Finish goes on. */
export function StillHere({ seconds, intend }: { seconds: number; intend: Intend }) {
  const { say, number } = useTexts();
  const left = useCountdown(seconds);
  const goOn = useRef<HTMLButtonElement>(null);
  useEffect(() => goOn.current?.focus(), []);
  return (
    <div class="overlay" data-testid="still-here" onClick={pressed(() => intend("stay"))}>
      <div class="dialog" role="alertdialog" aria-modal="true" aria-labelledby="still-here-title">
        <h2 id="still-here-title" class="dialog-title">
          {say("kiosk.still_here.title")}
        </h2>
        <p class="countdown" aria-hidden="true" data-testid="countdown">
          {number(left)}
        </p>
        <p class="dialog-text">{say("kiosk.still_here.text")}</p>
        <div class="dialog-actions">
          <button ref={goOn} type="button" class="button primary huge" data-testid="stay">
            {say("kiosk.still_here.continue")}
          </button>
          <button
            type="button"
            class="button quiet huge"
            data-testid="still-here-finish"
            onClick={(event) => {
              event.stopPropagation();
              pressed(() => intend("finish"))(event);
            }}
          >
            {say("kiosk.action.finish")}
          </button>
        </div>
      </div>
    </div>
  );
}
