import { Card, Scanner } from "../shared/icons";
import type { StoredValue, TopUp } from "../shared/snapshots";
import { AmountField } from "./amount_field";
import type { Intend } from "./intents";
import { Because, Panel } from "./panel";
import type { Tender } from "./pay";
import { Choices } from "./points";
import { useTexts } from "./texts";

interface Props {
  value: StoredValue | null;
  digits: number;
  intend: Intend;
  close: () => void;
  openTopUp: () => void;
}

/** What is stored, and how much of it pays for this basket; 0 takes it off again. */
export function ValuePanel({ value, digits, intend, close, openTopUp }: Props) {
  const { say } = useTexts();

  function use(amount_minor: number | null): void {
    void intend("value", { amount_minor }).then((taken) => taken && close());
  }

  if (value === null) {
    return (
      <Panel title={say("till.value.title")} name="value" close={close}>
        <p class="empty">{say("till.value.none")}</p>
      </Panel>
    );
  }
  return (
    <Panel title={say("till.value.title")} name="value" close={close}>
      {value.balance && (
        <p class="offer" data-testid="value-balance">
          {say("till.value.balance", { amount: value.balance })}
        </p>
      )}
      <Because why={value.why_not} />
      {(value.usable_minor > 0 || value.used !== null) && (
        <>
          <AmountField
            label={say("till.value.amount", { amount: value.usable })}
            name="value"
            digits={digits}
            suggested={value.usable_minor}
            take={use}
            go={() => say("till.value.use")}
          />
          <Choices
            all={() => use(null)}
            allWords={say("till.value.all")}
            allKey="F5"
            none={value.used === null ? null : () => use(0)}
            noneWords={say("till.value.off")}
          />
        </>
      )}
      {value.top_up && (
        <div class="panel-choices">
          <button type="button" class="button quiet" data-testid="open-top-up" onClick={openTopUp}>
            <span>{say("till.top_up.title")}</span>
            <kbd>F6</kbd>
          </button>
        </div>
      )}
    </Panel>
  );
}

interface TopUpProps {
  topUp: TopUp | null;
  digits: number;
  intend: Intend;
  take: (tender: Tender) => void;
  close: () => void;
}

/** First the amount, then what it brings, then the money: Enter twice is cash. */
export function TopUpPanel({ topUp, digits, intend, take, close }: TopUpProps) {
  const { say } = useTexts();
  if (topUp === null) {
    return (
      <Panel title={say("till.top_up.title")} name="top-up" close={close}>
        <p class="empty">{say("till.value.none")}</p>
      </Panel>
    );
  }
  const asked = topUp.amount_minor ?? 0;

  function enter(amount_minor: number): void {
    if (asked > 0 && amount_minor === asked) take("cash");
    else void intend("top-up-amount", { amount_minor });
  }

  return (
    <Panel title={say("till.top_up.title")} name="top-up" close={close}>
      <ul class="top-up-rows">
        {topUp.rows.map((row) => (
          <li key={row.pay_minor}>
            <button
              type="button"
              class="button quiet"
              data-testid={`top-up-row-${row.pay_minor}`}
              onClick={() => void intend("top-up-amount", { amount_minor: row.pay_minor })}
            >
              {say("till.top_up.row", { pay: row.pay, bonus: row.bonus })}
            </button>
          </li>
        ))}
      </ul>
      <AmountField
        key={asked}
        label={say("till.top_up.amount")}
        name="top-up"
        digits={digits}
        suggested={asked}
        take={enter}
        go={(amount) => say(asked > 0 && amount === asked ? "till.top_up.take_cash" : "till.top_up.show")}
      />
      {asked > 0 && (
        <>
          <p class="offer" data-testid="top-up-offer">
            {say("till.top_up.brings", { amount: topUp.amount ?? "", bonus: topUp.bonus ?? "" })}
            {topUp.after && <small> {say("till.top_up.after", { amount: topUp.after })}</small>}
          </p>
          <div class="panel-choices">
            <button type="button" class="button quiet" data-testid="top-up-card" onClick={() => take("card")}>
              <Card />
              <span>{say("till.pay.card")}</span>
              <kbd>F6</kbd>
            </button>
            <button type="button" class="button quiet" data-testid="top-up-mobile" onClick={() => take("mobile")}>
              <Scanner />
              <span>{say("till.pay.mobile")}</span>
              <kbd>F7</kbd>
            </button>
          </div>
        </>
      )}
    </Panel>
  );
}
