import { useEffect, useRef } from "preact/hooks";

import { Cross } from "../shared/icons";
import type { TillLine } from "../shared/snapshots";
import type { Intend } from "./intents";
import { Stepper } from "./stepper";
import { useTexts } from "./texts";

export interface LinesProps {
  lines: TillLine[];
  /** Each discount of each line stands below it. */
  details: boolean;
  showDetails: (shown: boolean) => void;
  selected: number | null;
  select: (number: number) => void;
  intend: Intend;
}

export function Lines({ lines, details, showDetails, selected, select, intend }: LinesProps) {
  const { say } = useTexts();
  return (
    <div class="lines">
      <table aria-label={say("till.lines.title")}>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{say("till.lines.article")}</th>
            <th scope="col" class="quantity">
              {say("till.lines.quantity")}
            </th>
            <th scope="col" class="amount">
              {say("till.lines.price")}
            </th>
            <th scope="col" class="amount">
              {say("till.lines.total")}
            </th>
            <th scope="col">
              <span class="visually-hidden">{say("till.lines.void")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <Line
              key={line.gift ? `gift-${line.number}` : line.sku}
              line={line}
              details={details}
              showDetails={() => showDetails(!details)}
              selected={line.number === selected}
              select={() => select(line.number)}
              intend={intend}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface LineProps {
  line: TillLine;
  details: boolean;
  showDetails: () => void;
  selected: boolean;
  select: () => void;
  intend: Intend;
}

function Line({ line, details, showDetails, selected, select, intend }: LineProps) {
  const { say } = useTexts();
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: "nearest" });
  }, [selected, line.number]);
  return (
    <>
      <tr ref={row} data-testid={`line-${line.number}`} aria-current={selected ? "true" : undefined} onClick={select}>
        <td class="line-number">{line.number}</td>
        <td class="line-name">
          <span>{line.name}</span> <small>{line.sku}</small>
        </td>
        <td class="quantity">
          {line.gift && line.quantity}
          {!line.gift && (
            <Stepper
              name={line.name}
              quantity={line.quantity}
              canLess={line.quantity !== "1"}
              canMore
              step={(by) => void intend("step", { sku: line.sku, by })}
              id={`quantity-${line.number}`}
            />
          )}
        </td>
        <td class="amount">{line.unit_price}</td>
        <td class="amount line-total">
          {line.total}
          {line.gross && (
            <button
              type="button"
              class="line-off"
              aria-expanded={details}
              data-testid={`off-${line.number}`}
              onClick={showDetails}
            >
              <s>{line.gross}</s>
            </button>
          )}
        </td>
        <td class="line-void">
          {!line.gift && (
            <button
              type="button"
              class="step"
              aria-label={say("till.lines.void_one", { name: line.name })}
              data-testid={`void-${line.number}`}
              onClick={() => void intend("quantity", { sku: line.sku, quantity: "0" })}
            >
              <Cross />
            </button>
          )}
        </td>
      </tr>
      {details &&
        line.discounts.map((one, place) => (
          <tr key={place} class="discount" data-testid={`discount-${line.number}`}>
            <td />
            <td colSpan={3}>
              ↳ {one.title && <strong>{one.title}</strong>} {one.sentence}
            </td>
            <td class="amount">{one.amount}</td>
            <td />
          </tr>
        ))}
    </>
  );
}
