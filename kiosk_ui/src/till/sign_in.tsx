import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { Check } from "../shared/icons";
import type { Problem, Staff } from "../shared/snapshots";
import { Refusal } from "./message";
import { useTexts } from "./texts";

export const PIN_LENGTH = { least: 4, most: 8 };

interface Props {
  people: Staff[];
  refusal: Problem | null;
  enter: (path: string, body: object) => Promise<boolean>;
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };

/** Returns who stands beside the chosen one, in the direction of an arrow key. */
function beside(people: Staff[], chosen: string | null, key: string): Staff | undefined {
  const step = STEPS[key];
  const at = people.findIndex(({ id }) => id === chosen);
  return step === undefined ? undefined : people[(at + step + people.length) % people.length];
}

export function SignIn({ people, refusal, enter }: Props) {
  const { say } = useTexts();
  const [chosen, setChosen] = useState<string | null>(people[0]?.id ?? null);
  const pin = useRef<HTMLInputElement>(null);

  // Before the paint: the next key may be the first of the PIN already.
  useLayoutEffect(() => {
    if (chosen !== null) pin.current?.focus();
  }, [chosen]);

  /** Chooses the next or the last person while the PIN keeps the focus: no other key is needed. */
  function choose(event: KeyboardEvent): void {
    const next = beside(people, chosen, event.key);
    if (next) event.preventDefault();
    if (next) setChosen(next.id);
  }

  async function signIn(event: Event): Promise<void> {
    event.preventDefault();
    const field = pin.current;
    if (chosen === null || !field?.value) return;
    const typed = field.value;
    field.value = "";
    await enter("sign-in", { staff: chosen, pin: typed });
    field.focus();
  }

  return (
    <main class="entrance">
      <form class="door" onSubmit={signIn}>
        <h1>{say("till.sign_in.title")}</h1>
        <fieldset class="people">
          <legend>
            {say("till.sign_in.who")} {people.length > 1 && <kbd>↑↓</kbd>}
          </legend>
          {people.map((person) => (
            <label key={person.id} class="person" data-testid={`staff-${person.id}`}>
              <input
                type="radio"
                name="staff"
                checked={chosen === person.id}
                onChange={() => setChosen(person.id)}
                onClick={() => pin.current?.focus()}
              />
              <span>{person.name}</span>
              <Check />
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>{say("till.sign_in.pin")}</span>
          <input
            ref={pin}
            type="password"
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={PIN_LENGTH.most}
            data-testid="pin"
            onKeyDown={choose}
          />
        </label>
        <Refusal problem={refusal} />
        <button type="submit" class="button primary" disabled={chosen === null} data-testid="sign-in">
          <span>{say("till.sign_in.go")}</span>
          <kbd>Enter</kbd>
        </button>
      </form>
    </main>
  );
}
