import type { Kiosk } from "../shared/snapshots";
import { useTexts } from "./texts";
import { Troubles } from "./troubles";
import { WarmUp } from "./warm_up";

/** Invites to tap; while no card can be read it says so instead, and what to do. */
export function AttractScreen({ kiosk }: { kiosk: Kiosk }) {
  const { say } = useTexts();
  const works = kiosk.reader === "ok";
  return (
    <>
      <section class="reading welcome">
        <h1 class="welcome-title" tabIndex={-1}>
          {say(works ? "kiosk.attract.title" : "kiosk.trouble.reader")}
        </h1>
        {works ? (
          <p class="notes">{say("kiosk.attract.subtitle")}</p>
        ) : (
          <p class="notes" role="status" data-testid="badge-reader">
            {say(kiosk.takes_codes ? "kiosk.trouble.reader_code" : "kiosk.trouble.reader_till")}
          </p>
        )}
      </section>
      <section class="acting invite">
        {works && <TapPicture />}
        <Troubles kiosk={kiosk} />
      </section>
      <WarmUp />
    </>
  );
}

/** A card that comes down to the reader; the style sheet moves it and stops when motion is unwelcome. */
function TapPicture() {
  return (
    <svg class="tap-picture" viewBox="0 0 400 300" aria-hidden="true" focusable="false">
      <g class="waves">
        <path d="M140 232a85 85 0 0 1 120 0" />
        <path d="M112 204a125 125 0 0 1 176 0" />
        <path d="M84 176a165 165 0 0 1 232 0" />
      </g>
      <rect class="reader" x="110" y="252" width="180" height="26" rx="13" />
      <g class="tap-card">
        <rect class="tap-card-face" x="118" y="40" width="164" height="104" rx="12" />
        <path class="tap-card-band" d="M118 66h164v20H118z" />
        <path class="tap-card-line" d="M136 108h60M136 124h36" />
        <circle class="tap-card-seal" cx="252" cy="116" r="14" />
      </g>
    </svg>
  );
}
