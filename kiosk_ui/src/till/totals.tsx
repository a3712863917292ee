import type { Totals } from "../shared/snapshots";
import { type MessageId, useTexts } from "./texts";

/** What is to be paid, largest; then how it came to that, and the points it earns with the reason. */
export function TotalsView({ totals }: { totals: Totals }) {
  const { say, number } = useTexts();
  const rows: [string, MessageId, string | null | undefined][] = [
    ["gross", "till.totals.gross", totals.gross],
    ["saved", "till.totals.saved", totals.saved],
    ["points-paid", "till.totals.points", totals.points_paid],
    ["value-paid", "till.totals.value", totals.value_paid],
    ["tax", "till.totals.tax", totals.tax],
    ["earn", "till.totals.earn", say("till.points_plus", { points: number(totals.earn_points) })],
  ];
  return (
    <dl class="totals" aria-live="polite">
      <div class="due">
        <dt>{say("till.totals.due")}</dt>
        <dd data-testid="due">{totals.due}</dd>
      </div>
      {rows.map(
        ([name, words, amount]) =>
          amount && (
            <div key={name}>
              <dt>{say(words)}</dt>
              <dd data-testid={name}>{amount}</dd>
            </div>
          ),
      )}
      {totals.earn_why && (
        <div class="why">
          <dt class="visually-hidden">{say("till.totals.why")}</dt>
          <dd data-testid="earn-why">{totals.earn_why}</dd>
        </div>
      )}
    </dl>
  );
}
