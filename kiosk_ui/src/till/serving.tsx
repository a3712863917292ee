import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Problem, Till, TillLine } from "../shared/snapshots";
import { Box } from "./box";
import { Checkout, NoLines } from "./checkout";
import { useFocus } from "./focus";
import { onLines, onReturn } from "./acts";
import { CouponPanel } from "./coupons";
import type { Intend } from "./intents";
import { KeyMap } from "./key_map";
import { type Action, type PanelName, selectionAfter } from "./keys";
import { Lines } from "./lines";
import { MemberStrip } from "./member";
import { Choices, MessageLine } from "./message";
import { cashDue, MINOR_DIGITS, type Tender } from "./pay";
import { PointsPanel } from "./points";
import { useQuantities } from "./quantities";
import { ReturnCheckout, ReturnPanel } from "./returning";
import { TopUpPanel, ValuePanel } from "./value";
import { WhyPanel } from "./why";

interface Props {
  till: Till;
  refusal: Problem | null;
  dismiss: () => void;
  intend: Intend;
  signOut: () => void;
}

/** The basket and everything that can be done with it, or the goods that come back. */
export function Serving({ till, refusal, dismiss, intend, signOut }: Props) {
  const { lines, returning } = till;
  const [selected, select] = useSelection(lines);
  const [returned, selectReturned] = useState<number | null>(null);
  const { paying, open, pay } = usePayment(intend, lines.length === 0);
  const [aside, putAside] = useState<Till["choices"] | null>(null);
  const [panel, setPanel] = useState<PanelName | null>(null);
  const [details, showDetails] = useState(false);
  const box = useRef<HTMLInputElement>(null);
  const nameField = useRef<HTMLInputElement>(null);
  const choices = aside === till.choices ? [] : till.choices;
  const quantities = useQuantities(intend);
  const goods = returning?.sale ?? null;

  useEffect(() => selectReturned(goods?.lines.length ? 1 : null), [goods?.receipt]);

  function openPanel(name: PanelName | null): void {
    open(false);
    if (panel === "top-up" && name !== "top-up" && till.member) void intend("top-up-amount", { amount_minor: 0 });
    setPanel(name);
    if (name === null || name === "coupons" || name === "why") box.current?.focus();
  }

  function back(): void {
    dismiss();
    putAside(till.choices);
    if (returning) void intend("return-close");
    else if (paying) open(false);
    else if (panel) openPanel(null);
    else if (document.activeElement === nameField.current) box.current?.focus();
    else if (box.current) box.current.value = "";
  }

  function topUp(tender: Tender): void {
    const received_minor = till.value?.top_up?.amount_minor ?? 0;
    if (received_minor > 0) {
      void intend("top-up", { tender, received_minor }).then((taken) => taken && openPanel(null));
    }
  }

  const acts = { till, intend, quantities, selected, select, returned, selectReturned };
  function perform(action: Action): void {
    if (onLines(action, acts) || onReturn(action, acts)) return;
    switch (action.do) {
      case "join":
        return nameField.current?.focus();
      case "panel":
        return openPanel(panel === action.panel ? null : action.panel);
      case "details":
        return showDetails(action.shown);
      case "cash":
        if (panel === "top-up") return topUp("cash");
        if (panel) openPanel(null);
        return paying ? void pay("cash", cashDue(till.totals)) : open(true);
      case "card":
      case "mobile":
        return panel === "top-up" ? topUp(action.do) : void pay(action.do, till.totals.due_minor);
      case "all-points":
        return void intend("points", {}).then((taken) => taken && openPanel(null));
      case "all-value":
        return void intend("value", {}).then((taken) => taken && openPanel(null));
      case "sign-out":
        return signOut();
      case "back":
        return back();
    }
  }

  const where = {
    box,
    paying,
    choices: choices.length,
    lines: goods ? goods.lines.length : lines.length,
    panel,
    returning: returning !== null,
    receipts: returning?.recent.length ?? 0,
    stranger: till.stranger !== null,
  };
  useFocus(where, perform);

  return (
    <>
      <div class="entry">
        <Box field={box} intend={intend} />
        <MessageLine message={till.message} refusal={refusal} />
      </div>
      <MemberStrip till={till} nameField={nameField} intend={intend} />
      <main class={returning ? "counter returning" : "counter"}>
        <div class="basket">
          <Choices choices={choices} intend={intend} />
          {returning ? (
            <ReturnPanel returning={returning} selected={returned} select={selectReturned} intend={intend} />
          ) : panel ? (
            <OpenPanel name={panel} till={till} intend={intend} open={openPanel} topUp={topUp} />
          ) : lines.length > 0 ? (
            <Lines
              lines={lines}
              details={details}
              showDetails={showDetails}
              selected={selected}
              select={select}
              change={quantities.change}
            />
          ) : (
            <NoLines lastSale={till.last_sale} />
          )}
        </div>
        {goods ? (
          <ReturnCheckout sale={goods} intend={intend} />
        ) : (
          <Checkout till={till} paying={paying} openPay={open} pay={(...paid) => void pay(...paid)} />
        )}
      </main>
      <KeyMap paying={paying} returning={returning !== null} panel={panel} stranger={where.stranger} />
    </>
  );
}

interface OpenPanelProps {
  name: PanelName;
  till: Till;
  intend: Intend;
  open: (name: PanelName | null) => void;
  topUp: (tender: Tender) => void;
}

function OpenPanel({ name, till, intend, open, topUp }: OpenPanelProps) {
  const digits = till.totals.minor_digits ?? MINOR_DIGITS;
  const close = () => open(null);
  switch (name) {
    case "coupons":
      return <CouponPanel chooser={till.coupons} intend={intend} close={close} />;
    case "points":
      return <PointsPanel points={till.points} intend={intend} close={close} />;
    case "value":
      return (
        <ValuePanel
          value={till.value}
          digits={digits}
          intend={intend}
          close={close}
          openTopUp={() => open("top-up")}
        />
      );
    case "top-up":
      return (
        <TopUpPanel
          topUp={till.value?.top_up ?? null}
          digits={digits}
          intend={intend}
          take={topUp}
          close={close}
        />
      );
    case "why":
      return <WhyPanel why={till.why} close={close} />;
  }
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
