import { Back, Bell, Check, Clock, Contrast, LargerText, Speech, Star, Unsure } from "../shared/icons";
import type { Help, Kiosk } from "../shared/snapshots";
import { Button } from "./button";
import type { Intend } from "./intents";
import { type MessageId, useTexts } from "./texts";

interface Props {
  kiosk: Kiosk;
  screen: Help;
  intend: Intend;
}

const STATES: Record<NonNullable<Kiosk["help"]>, MessageId> = {
  none: "kiosk.help.none",
  called: "kiosk.help.called",
  coming: "kiosk.help.coming",
  busy: "kiosk.help.busy",
};

/** Somebody to talk to, answers, and how this screen can be made easier (K17). */
export function HelpScreen({ kiosk, screen, intend }: Props) {
  const { say } = useTexts();
  const { help = "none" } = kiosk;
  return (
    <>
      <section class="reading">
        <h1 class="question" tabIndex={-1}>
          {say("kiosk.help.title")}
        </h1>
        <p class="slip-state" role="status" data-testid="help-state" data-help={help}>
          {help !== "none" && (help === "coming" ? <Check /> : <Bell />)}
          <span>{say(STATES[help])}</span>
        </p>
      </section>
      <section class="acting easier">
        <div class="options">
          {(help === "none" || help === "busy") && (
            <Button id="call" kind="primary" icon={Bell} act={() => intend("call")}>
              {say("kiosk.help.call")}
            </Button>
          )}
          {screen.faq && (
            <Button id="faq" icon={Unsure} act={() => intend("faq")}>
              {say("kiosk.faq.title")}
            </Button>
          )}
        </div>
        <h2 class="acting-title">{say("kiosk.help.easier")}</h2>
        <Easier kiosk={kiosk} intend={intend} />
        <Button id="back" icon={Back} act={() => intend("back")}>
          {say("kiosk.action.back")}
        </Button>
      </section>
    </>
  );
}

function Easier({ kiosk, intend }: { kiosk: Kiosk; intend: Intend }) {
  const { say } = useTexts();
  const { comfort = {}, remembers } = kiosk;
  const { large = false, contrast = false, longer = false, speech = false } = comfort;
  return (
    <div class="options switches">
      <Button id="comfort-large" icon={LargerText} on={large} act={() => intend("comfort", { large: !large })}>
        {say("kiosk.action.larger_text")}
      </Button>
      <Button id="comfort-contrast" icon={Contrast} on={contrast} act={() => intend("comfort", { contrast: !contrast })}>
        {say("kiosk.help.contrast")}
      </Button>
      <Button id="comfort-longer" icon={Clock} on={longer} act={() => intend("comfort", { longer: !longer })}>
        {say("kiosk.help.longer")}
      </Button>
      {kiosk.speaks && (
        <Button id="comfort-speech" icon={Speech} on={speech} act={() => intend("comfort", { speech: !speech })}>
          {say("kiosk.action.speech")}
        </Button>
      )}
      {remembers != null && (
        <Button id="remember" icon={Star} on={remembers} act={() => intend("remember", { on: !remembers })}>
          {say("kiosk.help.remember")}
        </Button>
      )}
    </div>
  );
}
