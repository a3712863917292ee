import { LANGUAGE_NAMES } from "../shared/i18n";
import { Globe } from "../shared/icons";
import type { Console } from "../shared/snapshots";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

export function Header({ view, intend }: { view: Console; intend: Intend }) {
  const { say } = useTexts();
  return (
    <header class="header">
      <div class="identity">
        <h1 class="shop">{view.shop}</h1>
        <p class="node">
          {say("console.node")} <code data-testid="node">{view.node}</code>
        </p>
      </div>
      <div class="languages" role="group" aria-label={say("console.language")}>
        <Globe />
        {view.languages.map((language) => (
          <button
            key={language}
            type="button"
            class="button"
            lang={language}
            aria-pressed={language === view.language}
            data-testid={`language-${language}`}
            onClick={() => intend("language", { language })}
          >
            {LANGUAGE_NAMES[language]}
          </button>
        ))}
      </div>
    </header>
  );
}
