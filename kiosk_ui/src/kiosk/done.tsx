import type { ComponentType } from "preact";

import { Check, Gift, Printer, Undo, Unsure, Warning } from "../shared/icons";
import type { Done } from "../shared/snapshots";
import { Button } from "./button";
import { useCountdown } from "./countdown";
import type { Intend } from "./intents";
import { type MessageId, useTexts } from "./texts";

interface SlipWords {
  title: MessageId;
  state: MessageId;
  icon: ComponentType;
}

const SLIP: Record<Done["slip"], SlipWords> = {
  printing: { title: "kiosk.done.title", state: "kiosk.done.printing", icon: Printer },
  printed: { title: "kiosk.done.title", state: "kiosk.done.printed", icon: Check },
  failed: { title: "kiosk.done.title_safe", state: "kiosk.done.failed", icon: Warning },
  unknown: { title: "kiosk.done.title_safe", state: "kiosk.done.unknown", icon: Unsure },
  sent: { title: "kiosk.done.title", state: "kiosk.done.sent", icon: Printer },
};

/** The reward is the member's whatever the printer does; its code stands on the screen as on the paper. */
export function DoneScreen({ screen, intend }: { screen: Done; intend: Intend }) {
  const { say, number } = useTexts();
  const words = SLIP[screen.slip];
  const left = useCountdown(screen.undo_s ?? null);
  return (
    <>
      <section class="reading done">
        <h1 class="headline" tabIndex={-1}>
          <Check />
          <span>{say(screen.voucher === "" ? "kiosk.done.title" : words.title)}</span>
        </h1>
        {screen.voucher !== "" && (
          <p class="slip-state" role="status" data-testid="slip-state" data-slip={screen.slip}>
            <words.icon />
            <span>{say(words.state)}</span>
          </p>
        )}
        <p class="notes one-line">
          <span>{screen.reward_title}</span>
          <span data-testid="points-left">{say("kiosk.done.points_left", { points: number(screen.points) })}</span>
        </p>
      </section>
      <section class="acting delivered">
        {screen.voucher === "" ? <Mark icon={Gift} /> : <Voucher screen={screen} />}
        {screen.undo_s != null && left > 0 && (
          <Button id="undo" icon={Undo} act={() => intend("undo")}>
            {say("kiosk.done.undo", { seconds: number(left) })}
          </Button>
        )}
      </section>
    </>
  );
}

/** A quiet picture where there is nothing to take along. */
export function Mark({ icon: Icon }: { icon: ComponentType }) {
  return (
    <div class="mark" aria-hidden="true">
      <Icon />
    </div>
  );
}

function Voucher({ screen }: { screen: Done }) {
  const { say } = useTexts();
  const paperFailed = screen.slip === "failed" || screen.slip === "unknown";
  return (
    <div class={paperFailed ? "ticket large" : "ticket"}>
      {screen.voucher_svg && (
        <img
          class="ticket-qr"
          src={`data:image/svg+xml,${encodeURIComponent(screen.voucher_svg)}`}
          alt={say("kiosk.done.voucher")}
          data-testid="voucher-qr"
        />
      )}
      <p class="ticket-label">{say("kiosk.done.voucher")}</p>
      <p class="ticket-code" data-testid="voucher">
        {screen.voucher}
      </p>
    </div>
  );
}
