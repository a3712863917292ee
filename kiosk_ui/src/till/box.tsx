import type { RefObject } from "preact";

import { Scanner } from "../shared/icons";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

/** The daemon takes no longer text (scanning.py). */
const MAX_LENGTH = 512;

/** The one box. Scans do not pass through it: the daemon reads the scanner whatever has the focus. */
export function Box({ field, intend }: { field: RefObject<HTMLInputElement | null>; intend: Intend }) {
  const { say } = useTexts();

  function enter(event: Event): void {
    event.preventDefault();
    const input = field.current;
    const text = input?.value.trim();
    if (!input || !text) return;
    input.value = "";
    // What did not reach the daemon stays to be sent again, unless something else is being typed already.
    void intend("enter", { text }).then((taken) => {
      if (!taken && input.value === "") input.value = text;
    });
  }

  return (
    <form class="box" onSubmit={enter}>
      <Scanner />
      <input
        ref={field}
        type="text"
        autocomplete="off"
        autocorrect="off"
        spellcheck={false}
        maxLength={MAX_LENGTH}
        placeholder={say("till.box")}
        aria-label={say("till.box")}
        data-field="box"
        data-testid="box"
      />
      <button type="submit" class="button quiet" data-testid="enter">
        <kbd>Enter</kbd>
      </button>
    </form>
  );
}
