import { useRef, useState } from "preact/hooks";

import type { Problem } from "../shared/snapshots";
import { Refusal } from "./message";
import { PIN_LENGTH } from "./sign_in";
import { useTexts } from "./texts";

interface Props {
  refusal: Problem | null;
  enter: (path: string, body: object) => Promise<boolean>;
}

/** The first page of a new shop: the one-time code makes the owner's account and is used up by it. */
export function SetUp({ refusal, enter }: Props) {
  const { say } = useTexts();
  const form = useRef<HTMLFormElement>(null);
  const [pinsDiffer, setPinsDiffer] = useState(false);

  function setUp(event: Event): void {
    event.preventDefault();
    if (form.current === null) return;
    const typed = Object.fromEntries(new FormData(form.current)) as Record<string, string>;
    const differ = typed["pin"] !== typed["again"];
    setPinsDiffer(differ);
    if (!differ) void enter("set-up", { code: typed["code"], name: typed["name"], pin: typed["pin"] });
  }

  const local: Problem | null = pinsDiffer
    ? { code: "PINS_DIFFER", sentence: say("till.set_up.pins_differ"), next_step: say("till.set_up.pins_differ_next") }
    : null;
  return (
    <main class="entrance">
      <form ref={form} class="door" onSubmit={setUp} autocomplete="off">
        <h1>{say("till.set_up.title")}</h1>
        <p class="door-note">{say("till.set_up.note")}</p>
        <label class="field">
          <span>{say("till.set_up.code")}</span>
          <input name="code" required autofocus spellcheck={false} autocapitalize="characters" data-testid="setup-code" />
        </label>
        <label class="field">
          <span>{say("till.set_up.name")}</span>
          <input name="name" required maxLength={60} data-testid="setup-name" />
        </label>
        <div class="two-fields">
          <PinField name="pin" label={say("till.set_up.pin")} testId="setup-pin" />
          <PinField name="again" label={say("till.set_up.pin_again")} testId="setup-pin-again" />
        </div>
        <Refusal problem={local ?? refusal} />
        <button type="submit" class="button primary" data-testid="setup">
          <span>{say("till.set_up.go")}</span>
          <kbd>Enter</kbd>
        </button>
      </form>
    </main>
  );
}

function PinField({ name, label, testId }: { name: string; label: string; testId: string }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        name={name}
        type="password"
        inputMode="numeric"
        autocomplete="one-time-code"
        required
        minLength={PIN_LENGTH.least}
        maxLength={PIN_LENGTH.most}
        data-testid={testId}
      />
    </label>
  );
}
