import { useEffect, useState } from "preact/hooks";

import { Person } from "../shared/icons";
import type { Kiosk } from "../shared/snapshots";
import { Button } from "./button";
import type { Intend } from "./intents";
import { CodePicture, GiftPicture, TapPicture } from "./pictures";
import { type MessageId, useTexts } from "./texts";
import { Troubles } from "./troubles";
import { WarmUp } from "./warm_up";

const LOOP_S = 6;

interface Invitation {
  title: MessageId;
  next: MessageId;
  Picture: typeof TapPicture;
}

/** Invites to tap; while no card can be read it says so instead, and what to do. */
export function AttractScreen({ kiosk, intend }: { kiosk: Kiosk; intend: Intend }) {
  const { say } = useTexts();
  const works = kiosk.reader === "ok";
  const { mode = "service" } = kiosk;
  const invitations = invitationsOf(kiosk);
  const turn = useTurn(invitations.length);
  const { title, next, Picture } = invitations[turn] as Invitation;
  return (
    <>
      <section class="reading welcome" data-mode={mode}>
        <h1 key={title} class="welcome-title" tabIndex={-1}>
          {say(works ? title : "kiosk.trouble.reader")}
        </h1>
        {works ? (
          <p key={next} class="notes">
            {say(next)}
          </p>
        ) : (
          <p class="notes" role="status" data-testid="badge-reader">
            {say(kiosk.takes_codes ? "kiosk.trouble.reader_code" : "kiosk.trouble.reader_till")}
          </p>
        )}
        {works && invitations.length > 1 && (
          <span class="turns" aria-hidden="true">
            {invitations.map((_, place) => (
              <i key={place} class={place === turn ? "now" : ""} />
            ))}
          </span>
        )}
      </section>
      <section class="acting invite">
        {works && <Picture key={title} />}
        <Troubles kiosk={kiosk} />
        {mode !== "gate" && (
          <Button
            id="join"
            kind={mode === "register" ? "primary huge" : "quiet"}
            icon={Person}
            act={() => intend("join")}
          >
            {say("kiosk.attract.join")}
          </Button>
        )}
      </section>
      <WarmUp />
    </>
  );
}

function invitationsOf(kiosk: Kiosk): Invitation[] {
  if (kiosk.mode === "register") {
    return [{ title: "kiosk.attract.register", next: "kiosk.attract.register_next", Picture: TapPicture }];
  }
  if (kiosk.mode === "gate") {
    return [{ title: "kiosk.attract.gate", next: "kiosk.attract.subtitle", Picture: TapPicture }];
  }
  return [
    { title: "kiosk.attract.title", next: "kiosk.attract.subtitle", Picture: TapPicture },
    { title: "kiosk.attract.rewards", next: "kiosk.attract.rewards_next", Picture: GiftPicture },
    {
      title: "kiosk.attract.no_card",
      next: kiosk.takes_codes ? "kiosk.attract.no_card_code" : "kiosk.attract.no_card_till",
      Picture: CodePicture,
    },
  ];
}

/** Which of several things is shown now; where motion is unwelcome the first one stays. */
function useTurn(of: number): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (of < 2 || matchMedia("(prefers-reduced-motion: reduce)").matches) return undefined;
    const timer = setInterval(() => setTurn((now) => now + 1), LOOP_S * 1000);
    return () => clearInterval(timer);
  }, [of]);
  return turn % of;
}
