import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Problem, Till, TillLine } from "../shared/snapshots";
import { Box } from "./box";
import { Checkout, NoLines } from "./checkout";
import { useFocus } from "./focus";
import type { Intend } from "./intents";
import { KeyMap } from "./key_map";
import { type Action, selectionAfter } from "./keys";
import { Lines } from "./lines";
import { MemberStrip } from "./member";
import { Choices, MessageLine } from "./message";
import type { Tender } from "./pay";
import { useQuantities } from "./quantities";

interface Props {
  till: Till;
  refusal: Problem | null;
  dismiss: () => void;
  intend: Intend;
  signOut: () => void;
}

/** The basket and everything that can be done with it. */
export function Serving({ till, refusal, dismiss, intend, signOut }: Props) {
  const { lines } = till;
  const [selected, select] = useSelection(lines);
  const { paying, open, pay } = usePayment(intend, lines.length === 0);
  const [aside, putAside] = useState<Till["choices"] | null>(null);
  const box = useRef<HTMLInputElement>(null);
  const nameField = useRef<HTMLInputElement>(null);
  const choices = aside === till.choices ? [] : till.choices;
  const { change, step } = useQuantities(intend);

  function back(): void {
    dismiss();
    putAside(till.choices);
    if (paying) open(false);
    else if (document.activeElement === nameField.current) box.current?.focus();
    else if (box.current) box.current.value = "";
  }

  function perform(action: Action): void {
    const line = lines.find(({ number }) => number === selected);
    switch (action.do) {
      case "choose":
        return void intend("choose", { number: action.number });
      case "select":
        return select(Math.max(1, Math.min(lines.length, (selected ?? 0) + action.step)));
      case "quantity":
        return line && step(line, action.step);
      case "void":
        return line && change(line, 0);
      case "join":
        return nameField.current?.focus();
      case "member-off":
        return void (till.member && intend("member-off"));
      case "cash":
        return paying ? void pay("cash", till.totals.due_minor) : open(true);
      case "card":
      case "mobile":
        return void pay(action.do, till.totals.due_minor);
      case "sign-out":
        return signOut();
      case "back":
        return back();
    }
  }

  useFocus({ box, paying, choices: choices.length, lines: lines.length }, perform);

  return (
    <>
      <div class="entry">
        <Box field={box} intend={intend} />
        <MessageLine message={till.message} refusal={refusal} />
      </div>
      <MemberStrip till={till} nameField={nameField} intend={intend} />
      <main class="counter">
        <div class="basket">
          <Choices choices={choices} intend={intend} />
          {lines.length > 0 ? (
            <Lines lines={lines} selected={selected} select={select} change={change} />
          ) : (
            <NoLines lastSale={till.last_sale} />
          )}
        </div>
        <Checkout till={till} paying={paying} openPay={open} pay={(...paid) => void pay(...paid)} />
      </main>
      <KeyMap paying={paying} />
    </>
  );
}

/** The selected line: the one that changed last, until the arrows say otherwise. */
function useSelection(lines: TillLine[]): [number | null, (number: number) => void] {
  const [selected, setSelected] = useState<number | null>(null);
  const before = useRef<TillLine[]>([]);
  useLayoutEffect(() => {
    const old = before.current;
    before.current = lines;
    setSelected((current) => selectionAfter(old, lines, current));
  }, [lines]);
  return [selected, setSelected];
}

interface Payment {
  paying: boolean;
  open: (open: boolean) => void;
  pay: (tender: Tender, receivedMinor: number) => Promise<void>;
}

/** The pay panel's state: closed while there is nothing to pay, and one payment at a time. */
function usePayment(intend: Intend, nothingToPay: boolean): Payment {
  const [isOpen, open] = useState(false);
  const sending = useRef(false);

  useEffect(() => {
    if (nothingToPay) open(false);
  }, [nothingToPay, isOpen]);

  async function pay(tender: Tender, receivedMinor: number): Promise<void> {
    if (sending.current) return;
    sending.current = true;
    const taken = await intend("pay", { tender, received_minor: receivedMinor });
    sending.current = false;
    if (taken) open(false);
  }

  return { paying: isOpen && !nothingToPay, open, pay };
}
