import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Place } from "./keys";
import { decimalText, readMinor } from "./money";
import { useTexts } from "./texts";

interface Props {
  label: string;
  name: NonNullable<Place["field"]>;
  /** Decimal digits; 0 for points. */
  digits: number;
  /** What stands in it until somebody types. */
  suggested: number;
  /** Called with a whole number of the smallest unit. */
  take: (amount: number) => void;
  /** Says what Enter does with what stands in the field; null is no amount. */
  go: (amount: number | null) => string;
}

/** One number and Enter. What cannot be read stays and is said. */
export function AmountField({ label, name, digits, suggested, take, go }: Props) {
  const { say } = useTexts();
  const [text, setText] = useState<string | null>(null);
  const [unreadable, setUnreadable] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const shown = text ?? decimalText(suggested, digits);
  const amount = readMinor(shown, digits);

  // Before the paint: the next key may be a digit of the amount already.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  useLayoutEffect(() => {
    if (text === null && document.activeElement === field.current) field.current?.select();
  }, [shown]);

  function submit(event: Event): void {
    event.preventDefault();
    setUnreadable(amount === null);
    if (amount !== null) take(amount);
  }

  return (
    <form class="amount-field" onSubmit={submit}>
      <label class={unreadable ? "field wrong" : "field"}>
        {unreadable ? (
          <span role="alert" data-testid={`${name}-error`}>
            {say("till.pay.unreadable", { digits })}
          </span>
        ) : (
          <span>{label}</span>
        )}
        <input
          ref={field}
          type="text"
          inputMode="decimal"
          autocomplete="off"
          value={shown}
          onInput={(event) => setText(event.currentTarget.value)}
          aria-invalid={unreadable}
          data-field={name}
          data-testid={`${name}-amount`}
        />
      </label>
      <button type="submit" class="button primary" data-testid={`${name}-go`}>
        <span>{go(amount)}</span>
        <kbd>Enter</kbd>
      </button>
    </form>
  );
}
