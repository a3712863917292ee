import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Problem, ReturnSale, Till, TillLine } from "../shared/snapshots";
import { Attention } from "./attention";
import { Box } from "./box";
import { Checkout, NoLines } from "./checkout";
import { useFocus } from "./focus";
import { onCalls, onLines, onReturn } from "./acts";
import type { Intend } from "./intents";
import { KeyMap } from "./key_map";
import { type Action, type PanelName, selectionAfter } from "./keys";
import { Lines, type LinesProps } from "./lines";
import { MemberStrip } from "./member";
import { Choices, MessageLine } from "./message";
import { scrollPanel } from "./panel";
import { OpenPanel } from "./panels";
import { dueBy, type Tender, tenderOf } from "./pay";
import { ReturnCheckout, ReturnPanel } from "./returning";

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
  const goods = returning?.sale;
  const [selected, select] = useSelection(lines);
  const [returned, selectReturned] = useReturned(goods);
  const { paying, open, pay } = usePayment(intend, lines.length === 0);
  const [choices, putAside] = useChoices(till.choices);
  const [details, showDetails] = useState(false);
  const box = useRef<HTMLInputElement>(null);
  const nameField = useRef<HTMLInputElement>(null);
  const { panel, openPanel, closeAfter, openPay, topUp } = usePanel(till, intend, box, open);

  function back(): void {
    dismiss();
    putAside();
    if (returning) void intend("return-close");
    else if (paying) open(false);
    else if (panel === "shift" && till.shift?.report) void intend("shift-done");
    else if (panel) openPanel(null);
    else if (document.activeElement === nameField.current) box.current?.focus();
    else if (box.current) box.current.value = "";
  }

  function perform(action: Action): void {
    if (panel && !returning && action.do === "select") return scrollPanel(action.step);
    if (action.do === "recall") openPanel(null);
    const acts = { till, intend, selected, select, returned, selectReturned };
    if (onCalls(action, acts) || onLines(action, acts) || onReturn(action, acts)) return;
    const tender = tenderOf(action);
    if (tender && panel === "top-up") topUp(tender);
    else if (tender && paying) void pay(tender, dueBy(tender, till.totals));
    else if (tender === "cash") openPay(true);
    else if (action.do === "panel") openPanel(panel === action.panel ? null : action.panel);
    else if (action.do === "all-points") void intend("points").then((taken) => taken && closeAfter("points"));
    else if (action.do === "all-value") void intend("value").then((taken) => taken && closeAfter("value"));
    else if (action.do === "details") showDetails(action.shown);
    else if (action.do === "join") nameField.current?.focus();
    else if (action.do === "sign-out") signOut();
    else if (action.do === "back") back();
  }

  const place = { ...placeOf(till), paying, panel, choices: choices.length };
  useFocus({ ...place, box }, perform);

  return (
    <main class="serving">
      <Entry box={box} message={till.message} refusal={refusal} intend={intend} />
      <Attention till={till} keyed={!paying && !returning && !panel} intend={intend} />
      <MemberStrip till={till} nameField={nameField} intend={intend} />
      <div class={returning ? "counter returning" : "counter"}>
        <div class="basket">
          <Choices choices={choices} intend={intend} />
          {returning ? (
            <ReturnPanel returning={returning} selected={returned} select={selectReturned} intend={intend} />
          ) : panel ? (
            <OpenPanel name={panel} open={openPanel} close={closeAfter} {...{ till, intend, topUp }} />
          ) : (
            <Basket till={till} {...{ details, showDetails, selected, select, intend }} />
          )}
        </div>
        {goods ? (
          <ReturnCheckout sale={goods} intend={intend} />
        ) : (
          <Checkout till={till} paying={paying} openPay={openPay} pay={(...paid) => void pay(...paid)} />
        )}
      </div>
      <KeyMap paying={paying} returning={place.returning} panel={panel} stranger={place.stranger} doubtful={place.doubtful} />
    </main>
  );
}

interface EntryProps extends Pick<Props, "refusal" | "intend"> {
  box: RefObject<HTMLInputElement | null>;
  message: Till["message"];
}

function Entry({ box, message, refusal, intend }: EntryProps) {
  return (
    <div class="entry">
      <Box field={box} intend={intend} />
      <MessageLine message={message} refusal={refusal} />
    </div>
  );
}

/** What of the place of a key the snapshot decides. */
function placeOf({ lines, returning, stranger, doubtful, parked }: Till) {
  return {
    lines: (returning?.sale?.lines ?? lines).length,
    returning: returning !== null,
    receipts: returning?.recent.length ?? 0,
    stranger: stranger !== null,
    doubtful: doubtful.length > 0,
    parked: parked?.length ?? 0,
  };
}

function Basket({ till, ...lines }: { till: Till } & Omit<LinesProps, "lines">) {
  return till.lines.length > 0 ? <Lines lines={till.lines} {...lines} /> : <NoLines lastSale={till.last_sale} />;
}

/** What the last code may mean, until somebody puts it aside. */
function useChoices(offered: Till["choices"]): [Till["choices"], () => void] {
  const [aside, putAside] = useState<Till["choices"] | null>(null);
  return [aside === offered ? [] : offered, () => putAside(offered)];
}

/** The selected line of the sale that comes back: the first one until the arrows say otherwise. */
function useReturned(goods: ReturnSale | null | undefined): [number | null, (number: number) => void] {
  const [chosen, choose] = useState({ receipt: "", line: 1 });
  // Reckoned while drawing and not after it: a key that follows at once must find its line.
  const line = goods?.lines.length ? (chosen.receipt === goods.receipt ? chosen.line : 1) : null;
  return [line, (number) => choose({ receipt: goods?.receipt ?? "", line: number })];
}

interface Panels {
  panel: PanelName | null;
  openPanel: (name: PanelName | null) => void;
  /** Closes a panel that did its work, unless the cashier is somewhere else already. */
  closeAfter: (name: PanelName) => void;
  openPay: (opened: boolean) => void;
  /** Takes the money for the amount that the top-up panel shows. */
  topUp: (tender: Tender) => void;
}

/** Which panel is open: one, or paying, never both. Leaving the top-up panel asks for no amount any more. */
function usePanel(
  till: Till,
  intend: Intend,
  box: RefObject<HTMLInputElement | null>,
  setPaying: (paying: boolean) => void,
): Panels {
  const [panel, setPanel] = useState<PanelName | null>(null);
  const now = useRef(panel);
  now.current = panel;

  function openPanel(name: PanelName | null): void {
    setPaying(false);
    if (panel === "top-up" && name !== "top-up" && till.value?.top_up?.amount) {
      void intend("top-up-amount", { amount_minor: 0 });
    }
    if (panel === "shift" && name !== "shift" && till.shift?.report) void intend("shift-done");
    setPanel(name);
    if (name === null || name === "coupons" || name === "why" || name === "parked") box.current?.focus();
  }

  function closeAfter(name: PanelName): void {
    if (now.current === name) openPanel(null);
  }

  function openPay(opened: boolean): void {
    openPanel(null);
    setPaying(opened);
  }

  function topUp(tender: Tender): void {
    const received_minor = till.value?.top_up?.amount_minor ?? 0;
    if (received_minor === 0) return;
    void intend("top-up", { tender, received_minor }).then((taken) => {
      if (!taken || now.current !== "top-up") return;
      setPanel(null);
      box.current?.focus();
    });
  }

  return { panel, openPanel, closeAfter, openPay, topUp };
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

/** The pay panel's state: closed while there is nothing to pay. */
function usePayment(intend: Intend, nothingToPay: boolean): Payment {
  const [isOpen, open] = useState(false);

  useLayoutEffect(() => {
    if (nothingToPay) open(false);
  }, [nothingToPay, isOpen]);

  async function pay(tender: Tender, receivedMinor: number): Promise<void> {
    if (await intend("pay", { tender, received_minor: receivedMinor })) open(false);
  }

  return { paying: isOpen && !nothingToPay, open, pay };
}
