import type { PaperView } from "../shared/snapshots";
import type { Intend } from "./intents";
import { type MessageId, useTexts } from "./texts";

const RESTS_ON: Record<PaperView["confidence"], MessageId> = {
  learned: "console.paper.learned",
  stated: "console.paper.stated",
  assumed: "console.paper.assumed",
  none: "console.paper.none",
};
const MM_A_METRE = 1000;

/** How long the roll will still do, what that rests on, and a button for who put in a new one. */
export function PaperWords({ paper, intend }: { paper: PaperView; intend: Intend }) {
  const { say, number } = useTexts();
  const left = paper.receipts_left;
  return (
    <div class="roll" data-testid="paper" data-low={paper.is_low}>
      <p>
        <strong data-testid="paper-left">
          {left === null ? say("console.paper.unknown") : say("console.paper.left", { count: number(left) })}
        </strong>{" "}
        <span class="hint">
          {say(RESTS_ON[paper.confidence])}{" "}
          {say("console.paper.printed", { metres: number(Math.round(paper.printed_mm / 100) / (MM_A_METRE / 100)) })}
        </span>
      </p>
      {paper.is_low && <p class="trouble">{paper.sentence}</p>}
      <button type="button" class="button" data-testid="roll-changed" onClick={() => intend("roll-changed")}>
        {say("console.paper.changed")}
      </button>
    </div>
  );
}
