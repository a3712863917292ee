import type { DockSlip } from "../../shared/snapshots";
import { useTexts } from "../texts";

/** The slips as they hang from the printer, newest first: each as its picture, and as text to select. */
export function Paper({ slips }: { slips: DockSlip[] }) {
  const { say } = useTexts();
  if (slips.length === 0) {
    return (
      <p class="paper-none" data-testid="dock-paper-none">
        {say("console.dock.no_paper")}
      </p>
    );
  }
  return (
    <ol class="paper" tabIndex={0} aria-label={say("console.dock.paper")}>
      {slips.map((slip, place) => (
        <Slip key={slip.number} slip={slip} newest={place === 0} />
      ))}
    </ol>
  );
}

function Slip({ slip, newest }: { slip: DockSlip; newest: boolean }) {
  const { say } = useTexts();
  const name = say("console.dock.slip", { number: slip.number });
  // While a slip is being printed its picture grows: another address for each length loads it anew.
  const picture = slip.picture && `${slip.picture}?length=${slip.text.length}`;
  return (
    <li class="slip" data-testid={`dock-slip-${slip.number}`} data-newest={newest}>
      {picture && <img class="slip-picture" src={picture} alt={name} loading={newest ? "eager" : "lazy"} />}
      <details class="slip-details" open={newest || picture === ""}>
        <summary>{`${name} · ${say("console.dock.slip_text")}`}</summary>
        <pre class="slip-text" tabIndex={0}>
          {slip.text}
        </pre>
      </details>
    </li>
  );
}
