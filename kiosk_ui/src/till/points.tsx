import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { PointsAsCash } from "../shared/snapshots";
import { AmountField } from "./amount_field";
import type { Intend } from "./intents";
import { Because, Panel } from "./panel";
import { useTexts } from "./texts";

interface Props {
  points: PointsAsCash | null;
  intend: Intend;
  close: () => void;
}

/** How many points can pay and what they pay; 0 takes them off again. */
export function PointsPanel({ points, intend, close }: Props) {
  const { say, number } = useTexts();

  function use(amount: number | null): void {
    void intend("points", { points: amount }).then((taken) => taken && close());
  }

  return (
    <Panel title={say("till.points.title")} name="points" close={close}>
      {points === null ? (
        <p class="empty">{say("till.points.none")}</p>
      ) : (
        <>
          {points.usable > 0 && (
            <p class="offer" data-testid="points-offer">
              {say("till.points.offer", { points: number(points.usable), amount: points.pays })}
            </p>
          )}
          <Because why={points.why_not} />
          {points.asks_tail && <PhoneTail intend={intend} />}
          {(points.usable > 0 || points.used > 0) && (
            <>
              <AmountField
                label={say("till.points.amount")}
                name="points"
                digits={0}
                suggested={points.used || points.usable}
                take={use}
                go={() => say("till.points.use")}
              />
              <Choices
                all={() => use(null)}
                allWords={say("till.points.all")}
                allKey="F4"
                none={points.used > 0 ? () => use(0) : null}
                noneWords={say("till.points.off")}
              />
            </>
          )}
        </>
      )}
    </Panel>
  );
}

/** What the member tells and the cashier types; it is checked, never shown. */
function PhoneTail({ intend }: Pick<Props, "intend">) {
  const { say } = useTexts();
  const [tail, setTail] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);

  function submit(event: Event): void {
    event.preventDefault();
    setTail("");
    void intend("step-up", { tail });
  }

  return (
    <form class="amount-field" onSubmit={submit}>
      <label class="field">
        <span>{say("till.points.tail")}</span>
        <input
          ref={field}
          type="text"
          inputMode="numeric"
          autocomplete="off"
          maxLength={4}
          value={tail}
          onInput={(event) => setTail(event.currentTarget.value)}
          data-field="points"
          data-testid="phone-tail"
        />
      </label>
      <button type="submit" class="button primary" data-testid="phone-tail-go">
        <span>{say("till.points.tail_go")}</span>
        <kbd>Enter</kbd>
      </button>
    </form>
  );
}

interface ChoicesProps {
  all: () => void;
  allWords: string;
  allKey: string;
  none: (() => void) | null;
  noneWords: string;
}

/** As much as can be, or nothing after all. */
export function Choices({ all, allWords, allKey, none, noneWords }: ChoicesProps) {
  return (
    <div class="panel-choices">
      <button type="button" class="button quiet" data-testid="use-all" onClick={all}>
        <span>{allWords}</span>
        <kbd>{allKey}</kbd>
      </button>
      {none && (
        <button type="button" class="button quiet" data-testid="use-none" onClick={none}>
          {noneWords}
        </button>
      )}
    </div>
  );
}
