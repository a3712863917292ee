import { Bell, Globe, Help, LargerText, Leave, Speech } from "../shared/icons";
import { LANGUAGE_NAMES } from "../shared/i18n";
import { pressed } from "../shared/press";
import type { Kiosk } from "../shared/snapshots";
import { Button } from "./button";
import type { Intend } from "./intents";
import { type MessageId, useTexts } from "./texts";

interface Props {
  kiosk: Kiosk;
  chooseLanguage: () => void;
  intend: Intend;
}

const HELP: Record<NonNullable<Kiosk["help"]>, MessageId> = {
  none: "kiosk.action.help",
  called: "kiosk.action.help_called",
  coming: "kiosk.action.help_coming",
  busy: "kiosk.action.help_busy",
};

/** The same ways out and aids on every screen, always in the same place; none while the glass is wiped. */
export function Footer({ kiosk, chooseLanguage, intend }: Props) {
  const { say } = useTexts();
  const { screen, comfort = {}, help = "none" } = kiosk;
  if (screen.screen === "out_of_service" && screen.why === "cleaning") return null;
  const nothingElseToDo = screen.screen === "done" || (screen.screen === "join" && screen.step === "joined");
  return (
    <footer class="footer">
      {kiosk.in_session && (
        <Button
          id="finish"
          kind={nothingElseToDo ? "primary finish" : "quiet finish"}
          icon={Leave}
          act={() => intend("finish")}
        >
          {say("kiosk.action.finish")}
        </Button>
      )}
      <span class="footer-gap" />
      <Button
        id="larger-text"
        icon={LargerText}
        on={comfort.large === true}
        act={() => intend("comfort", { large: comfort.large !== true })}
      >
        {say(comfort.large ? "kiosk.action.normal_text" : "kiosk.action.larger_text")}
      </Button>
      {kiosk.speaks && (
        <Button
          id="read-aloud"
          icon={Speech}
          on={comfort.speech === true}
          act={() => intend("comfort", { speech: comfort.speech !== true })}
        >
          {say("kiosk.action.speech")}
        </Button>
      )}
      <Button
        id="help"
        kind={help === "none" ? "quiet" : "quiet called"}
        icon={help === "none" ? Help : Bell}
        act={() => intend("help")}
      >
        {say(HELP[help])}
      </Button>
      <button
        type="button"
        class="button quiet"
        aria-haspopup="dialog"
        data-testid="choose-language"
        onClick={pressed(chooseLanguage)}
      >
        <Globe />
        <span>{LANGUAGE_NAMES[kiosk.language]}</span>
      </button>
    </footer>
  );
}
