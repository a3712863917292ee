import { useEffect } from "preact/hooks";

import { LANGUAGE_NAMES } from "../shared/i18n";
import { pressed } from "../shared/press";
import type { Kiosk } from "../shared/snapshots";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

const PATIENCE_S = 15;

interface Props {
  kiosk: Kiosk;
  intend: Intend;
  close: () => void;
}

/** Offers every language by its own name. Closes by a choice, a touch beside it, or when nobody touches it. */
export function Languages({ kiosk, intend, close }: Props) {
  const { say } = useTexts();
  useEffect(() => {
    const timer = setTimeout(close, PATIENCE_S * 1000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="overlay" data-testid="languages" onClick={pressed(close)}>
      <div class="dialog" role="dialog" aria-modal="true" aria-label={say("kiosk.language.title")}>
        <div class="languages">
          {kiosk.languages.map((language) => (
            <button
              key={language}
              type="button"
              class="button quiet"
              lang={language}
              aria-pressed={language === kiosk.language}
              data-testid={`language-${language}`}
              onClick={(event) => {
                event.stopPropagation();
                pressed(() => {
                  intend("language", { language });
                  close();
                })(event);
              }}
            >
              {LANGUAGE_NAMES[language]}
            </button>
          ))}
        </div>
      </div>
    </div>
  );
}
