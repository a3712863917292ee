import type { ComponentType } from "preact";

import { LANGUAGE_NAMES } from "../shared/i18n";
import { Card, Check, Cloud, Cross, Globe, Leave, Printer, Scanner, Warning } from "../shared/icons";
import type { Till, TroubleView } from "../shared/snapshots";
import { troubleWords } from "./attention";
import type { Intend } from "./intents";
import { type MessageId, useTexts } from "./texts";

interface Props {
  till: Till;
  served: boolean;
  intend: Intend;
  signOut: () => void;
}

export function TopBar({ till, served, intend, signOut }: Props) {
  const { say, number } = useTexts();
  const of = (device: TroubleView["device"]) => till.troubles?.find((trouble) => trouble.device === device);
  return (
    <header class="top-bar">
      <div class="till-name">
        <h1>{say("till.title")}</h1>
        {served && <span data-testid="staff-name">{till.staff?.name}</span>}
      </div>
      <ul class="lights" aria-label={say("till.lights")}>
        <Light name="reader" state={till.reader} icon={Card} label="till.light.reader" trouble={of("reader")} />
        <Light name="scanner" state={till.scanner} icon={Scanner} label="till.light.scanner" trouble={of("scanner")} />
        <Light name="printer" state={till.printer} icon={Printer} label="till.light.printer" trouble={of("printer")} />
        <li class="light" data-testid="light-central" data-state={till.online ? "ok" : "trouble"}>
          <Cloud />
          <span>{say(till.online ? "till.light.online" : "till.light.offline")}</span>
          {till.unsynced > 0 && (
            <span class="unsynced" data-testid="unsynced">
              {say("till.light.unsynced", { count: number(till.unsynced) })}
            </span>
          )}
          {till.online ? <Check /> : <Warning />}
        </li>
      </ul>
      <LanguageChoice till={till} intend={intend} />
      {served && (
        <button type="button" class="button dark" data-testid="sign-out" onClick={signOut}>
          <Leave />
          <span>{say("till.action.sign_out")}</span>
          <kbd>F10</kbd>
        </button>
      )}
    </header>
  );
}

/** Every language by its own name. The focus goes back to the box, so that the next key is not lost. */
function LanguageChoice({ till, intend }: { till: Till; intend: Intend }) {
  const { say } = useTexts();
  return (
    <label class="button dark">
      <Globe />
      <select
        class="language"
        aria-label={say("till.language")}
        value={till.language}
        data-testid="language"
        onChange={({ currentTarget }) => {
          currentTarget.blur();
          void intend("language", { language: currentTarget.value });
        }}
      >
        {till.languages.map((language) => (
          <option key={language} value={language} lang={language}>
            {LANGUAGE_NAMES[language]}
          </option>
        ))}
      </select>
    </label>
  );
}

const STATE: Record<Till["reader"], { words: MessageId; icon: ComponentType }> = {
  ok: { words: "till.light.ok", icon: Check },
  trouble: { words: "till.light.trouble", icon: Warning },
  missing: { words: "till.light.missing", icon: Cross },
};

interface LightProps {
  name: string;
  state: Till["reader"];
  icon: ComponentType;
  label: MessageId;
  trouble: TroubleView | undefined;
}

/** One device: what it is, and in words and a sign how it is; more of it to whoever points at it or tabs there. */
function Light({ name, state, icon: Picture, label, trouble }: LightProps) {
  const { say } = useTexts();
  const { words, icon: Sign } = STATE[state];
  return (
    <li class="light" data-testid={`light-${name}`} data-state={state} tabIndex={trouble && 0}>
      <Picture />
      <span>{say(label)}</span>
      <span class={state === "ok" ? "visually-hidden" : "light-words"}>{say(words)}</span>
      <Sign />
      {trouble && (
        <span class="light-more" data-testid={`more-${name}`}>
          {troubleWords(trouble, say)}
        </span>
      )}
    </li>
  );
}
