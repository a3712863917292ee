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
