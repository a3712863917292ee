import type { Totals } from "../shared/snapshots";
import { useTexts } from "./texts";

/** What is to be paid, largest; then the tax in it and the points it earns, with the reason. */
export function TotalsView({ totals }: { totals: Totals }) {
  const { say, number } = useTexts();
  return (
    <dl class="totals" aria-live="polite">
      <div class="due">
        <dt>{say("till.totals.due")}</dt>
        <dd data-testid="due">{totals.due}</dd>
      </div>
      <div>
        <dt>{say("till.totals.tax")}</dt>
        <dd data-testid="tax">{totals.tax}</dd>
      </div>
      <div>
        <dt>{say("till.totals.earn")}</dt>
        <dd data-testid="earn">{say("till.points_plus", { points: number(totals.earn_points) })}</dd>
      </div>
      {totals.earn_why && (
        <div class="why">
          <dt class="visually-hidden">{say("till.totals.why")}</dt>
          <dd data-testid="earn-why">{totals.earn_why}</dd>
        </div>
      )}
    </dl>
  );
}
