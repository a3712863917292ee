import { useEffect, useRef } from "preact/hooks";

import { Check, Undo } from "../shared/icons";
import type { Return, ReturnLine, ReturnSale } from "../shared/snapshots";
import type { Intend } from "./intents";
import { Panel } from "./panel";
import { Stepper } from "./stepper";
import { type MessageId, useTexts } from "./texts";

export const REASONS: Readonly<Record<string, MessageId>> = {
  unwanted: "till.return.reason_unwanted",
  faulty: "till.return.reason_faulty",
  wrong: "till.return.reason_wrong",
  other: "till.return.reason_other",
};

interface Props {
  returning: Return;
  selected: number | null;
  select: (number: number) => void;
  intend: Intend;
}

/** Which sale, and which of its lines come back. */
export function ReturnPanel({ returning, selected, select, intend }: Props) {
  const { say } = useTexts();
  const { sale, recent } = returning;
  const close = () => void intend("return-close");
  return (
    <Panel title={say("till.return.title")} name="return" close={close}>
      {sale ? (
        <Lines sale={sale} selected={selected} select={select} intend={intend} />
      ) : (
        <>
          <p class="panel-note">{say("till.return.scan")}</p>
          <ol class="coupon-list">
            {recent.map(({ number, receipt, at, total }) => (
              <li key={number}>
                <button
                  type="button"
                  class="coupon"
                  data-testid={`receipt-${number}`}
                  onClick={() => void intend("return-receipt", { number })}
                >
                  <kbd>{number}</kbd>
                  <span class="coupon-name">
                    <strong>{receipt}</strong>
                    <small>{at}</small>
                  </span>
                  <span class="coupon-saves">{total}</span>
                </button>
              </li>
            ))}
          </ol>
          {recent.length === 0 && <p class="empty">{say("till.return.none")}</p>}
        </>
      )}
    </Panel>
  );
}

interface LinesProps {
  sale: ReturnSale;
  selected: number | null;
  select: (number: number) => void;
  intend: Intend;
}

function Lines({ sale, selected, select, intend }: LinesProps) {
  const { say } = useTexts();
  return (
    <>
      <p class="panel-note" data-testid="return-sale">
        {say("till.return.sale", { receipt: sale.receipt, at: sale.at, total: sale.total })}
      </p>
      <table aria-label={say("till.return.title")}>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{say("till.lines.article")}</th>
            <th scope="col" class="amount">
              {say("till.return.sold")}
            </th>
            <th scope="col" class="quantity">
              {say("till.return.back")}
            </th>
            <th scope="col" class="amount">
              {say("till.lines.total")}
            </th>
          </tr>
        </thead>
        <tbody>
          {sale.lines.map((line) => (
            <Line
              key={line.number}
              line={line}
              selected={line.number === selected}
              select={() => select(line.number)}
              step={(by) => void intend("return-step", { number: line.number, by })}
            />
          ))}
        </tbody>
      </table>
    </>
  );
}

interface LineProps {
  line: ReturnLine;
  selected: boolean;
  select: () => void;
  step: (by: 1 | -1) => void;
}

function Line({ line, selected, select, step }: LineProps) {
  const { say } = useTexts();
  const row = useRef<HTMLTableRowElement>(null);
  const none = line.left === "0";
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: "nearest" });
  }, [selected]);

  return (
    <tr
      ref={row}
      data-testid={`return-line-${line.number}`}
      aria-current={selected ? "true" : undefined}
      class={none ? "gone" : undefined}
      onClick={select}
    >
      <td class="line-number">{line.number}</td>
      <td class="line-name">{line.name}</td>
      <td class="amount">
        {line.left === line.sold ? line.sold : say("till.return.of", { left: line.left, sold: line.sold })}
      </td>
      <td class="quantity">
        <Stepper
          name={line.name}
          quantity={line.chosen}
          canLess={line.chosen !== "0"}
          canMore={!none && line.chosen !== line.left}
          step={step}
          id={`return-quantity-${line.number}`}
        />
      </td>
      <td class="amount">{line.total}</td>
    </tr>
  );
}

/** What taking it back does, before it is done. */
export function ReturnCheckout({ sale, intend }: { sale: ReturnSale; intend: Intend }) {
  const { say, number } = useTexts();
  const { reason, shop_fault: shopFault } = sale;
  return (
    <aside class="checkout" data-testid="return-checkout">
      <dl class="totals refund" aria-live="polite">
        <div class="due">
          <dt>{say("till.return.refund")}</dt>
          <dd data-testid="refund">{sale.refund ?? "–"}</dd>
        </div>
        {sale.tenders.map(({ tender, amount }) => (
          <div key={tender}>
            <dt>{tender}</dt>
            <dd data-testid="refund-tender">{amount}</dd>
          </div>
        ))}
        {sale.points_taken !== 0 && (
          <div>
            <dt>{say("till.return.points_taken")}</dt>
            <dd data-testid="points-taken">−{number(sale.points_taken)}</dd>
          </div>
        )}
        {sale.points_given !== 0 && (
          <div>
            <dt>{say("till.return.points_given")}</dt>
            <dd data-testid="points-given">+{number(sale.points_given)}</dd>
          </div>
        )}
      </dl>
      {sale.problem && (
        <p class="because" role="alert" data-testid="return-problem">
          {sale.problem.sentence} {sale.problem.next_step}
        </p>
      )}
      <Reasons reason={reason} shopFault={shopFault} intend={intend} />
      <div class="tenders">
        <button type="button" class="button quiet" data-testid="return-all" onClick={() => void intend("return-all")}>
          <span>{say("till.return.all")}</span>
          <kbd>F2</kbd>
        </button>
        <button
          type="button"
          class="button quiet"
          aria-pressed={sale.void}
          disabled={!sale.can_void}
          data-testid="return-void"
          onClick={() => void intend("return-void", { on: !sale.void })}
        >
          <Undo />
          <span>{say("till.return.void")}</span>
          <kbd>F3</kbd>
        </button>
      </div>
      <button
        type="button"
        class="button primary pay"
        disabled={sale.refund === null}
        data-testid="return-confirm"
        onClick={() => void intend("return-confirm", { refund_minor: sale.refund_minor })}
      >
        <span>{say(sale.void ? "till.return.confirm_void" : "till.return.confirm")}</span>
        <kbd>F12</kbd>
      </button>
    </aside>
  );
}

interface ReasonsProps {
  reason: string;
  shopFault: boolean;
  intend: Intend;
}

function Reasons({ reason, shopFault, intend }: ReasonsProps) {
  const { say } = useTexts();
  return (
    <>
      <div class="reason-choices" role="group" aria-label={say("till.return.reason")}>
        {Object.entries(REASONS).map(([code, words]) => (
          <button
            key={code}
            type="button"
            class="button quiet"
            aria-pressed={code === reason}
            data-testid={`reason-${code}`}
            onClick={() => void intend("return-reason", { reason: code })}
          >
            {say(words)}
          </button>
        ))}
      </div>
      <button
        type="button"
        class="button quiet"
        aria-pressed={shopFault}
        data-testid="shop-fault"
        onClick={() => void intend("return-reason", { shop_fault: !shopFault })}
      >
        {shopFault && <Check />}
        <span>{say("till.return.shop_fault")}</span>
        <kbd>F6</kbd>
      </button>
    </>
  );
}
