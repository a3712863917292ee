import { LANGUAGE_NAMES } from "../shared/i18n";
import { Globe, LargerText, Leave } from "../shared/icons";
import { pressed } from "../shared/press";
import type { Kiosk } from "../shared/snapshots";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

interface Props {
  kiosk: Kiosk;
  inSession: boolean;
  large: boolean;
  toggleLarge: () => void;
  chooseLanguage: () => void;
  intend: Intend;
}

/** The same three ways out on every screen, always in the same place. */
export function Footer({ kiosk, inSession, large, toggleLarge, chooseLanguage, intend }: Props) {
  const { say } = useTexts();
  const nothingElseToDo = kiosk.screen.screen === "done";
  return (
    <footer class="footer">
      {inSession && (
        <button
          type="button"
          class={nothingElseToDo ? "button primary finish" : "button quiet finish"}
          data-testid="finish"
          onClick={pressed(() => intend("finish"))}
        >
          <Leave />
          <span>{say("kiosk.action.finish")}</span>
        </button>
      )}
      <span class="footer-gap" />
      <button
        type="button"
        class="button quiet"
        data-testid="larger-text"
        aria-pressed={large}
        onClick={pressed(toggleLarge)}
      >
        <LargerText />
        <span>{say(large ? "kiosk.action.normal_text" : "kiosk.action.larger_text")}</span>
      </button>
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
