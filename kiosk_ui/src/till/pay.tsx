import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { Back, Card, Scanner } from "../shared/icons";
import type { Totals } from "../shared/snapshots";
import type { Action } from "./keys";
import { decimalText, likelyCash, readMinor } from "./money";
import { useTexts } from "./texts";

export const MINOR_DIGITS = 2;

export type Tender = "cash" | "card" | "mobile";

/** What is due; in cash, in coins that exist. */
export function dueBy(tender: Tender, totals: Totals): number {
  return (tender === "cash" ? totals.cash_due_minor : undefined) ?? totals.due_minor;
}

/** Returns by which tender an action pays; null when it is about something else. */
export function tenderOf(action: Action): Tender | null {
  return action.do === "cash" || action.do === "card" || action.do === "mobile" ? action.do : null;
}

interface Props {
  totals: Totals;
  pay: (tender: Tender, receivedMinor: number) => void;
  close: () => void;
}

/** Takes the money. The amount that is sent is the one on the screen: a late scan is refused, never paid unseen. */
export function PayPanel({ totals, pay, close }: Props) {
  const { say } = useTexts();
  const digits = totals.minor_digits ?? MINOR_DIGITS;
  const due = dueBy("cash", totals);
  const [typed, setTyped] = useState<string | null>(null);
  const [unreadable, setUnreadable] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  // Before the paint: the next key may be a digit of the amount already.
  useLayoutEffect(() => field.current?.focus(), []);
  useLayoutEffect(() => {
    if (typed === null) field.current?.select();
  }, [due, typed]);

  function takeCash(event: Event): void {
    event.preventDefault();
    const receivedMinor = readMinor(typed ?? decimalText(due, digits), digits);
    setUnreadable(receivedMinor === null);
    if (receivedMinor !== null) pay("cash", receivedMinor);
  }

  return (
    <section class="pay-panel" role="dialog" aria-label={say("till.pay.title")} data-testid="pay-panel">
      <form onSubmit={takeCash}>
        <label class={unreadable ? "field wrong" : "field"}>
          {unreadable ? (
            <span role="alert" data-testid="received-error">
              {say("till.pay.unreadable", { digits })}
            </span>
          ) : (
            <span>{say("till.pay.received")}</span>
          )}
          <input
            ref={field}
            type="text"
            inputMode="decimal"
            autocomplete="off"
            value={typed ?? decimalText(due, digits)}
            onInput={(event) => setTyped(event.currentTarget.value)}
            aria-invalid={unreadable}
            data-field="received"
            data-testid="received"
          />
        </label>
        <ul class="notes" aria-label={say("till.pay.notes")}>
          {likelyCash(due, digits).map((minor) => (
            <li key={minor}>
              <button type="button" class="button quiet" onClick={() => setTyped(decimalText(minor, digits))}>
                {decimalText(minor, digits)}
              </button>
            </li>
          ))}
        </ul>
        <button type="submit" class="button primary" data-testid="take-cash">
          <span>{say("till.pay.take_cash")}</span>
          <kbd>Enter</kbd>
        </button>
      </form>
      <Tenders totals={totals} pay={pay} close={close} />
    </section>
  );
}

/** The ways to pay that need no amount. */
function Tenders({ totals, pay, close }: Props) {
  const { say } = useTexts();
  return (
    <div class="tenders">
      <button
        type="button"
        class="button quiet"
        data-testid="pay-cash"
        onClick={() => pay("cash", dueBy("cash", totals))}
      >
        <span>{say("till.pay.exact")}</span>
        <kbd>F12</kbd>
      </button>
      <button type="button" class="button quiet" data-testid="pay-close" onClick={close}>
        <Back />
        <span>{say("till.action.back")}</span>
        <kbd>Esc</kbd>
      </button>
      <button type="button" class="button quiet" data-testid="pay-card" onClick={() => pay("card", totals.due_minor)}>
        <Card />
        <span>{say("till.pay.card")}</span>
        <kbd>F6</kbd>
      </button>
      <button
        type="button"
        class="button quiet"
        data-testid="pay-mobile"
        onClick={() => pay("mobile", totals.due_minor)}
      >
        <Scanner />
        <span>{say("till.pay.mobile")}</span>
        <kbd>F7</kbd>
      </button>
    </div>
  );
}
