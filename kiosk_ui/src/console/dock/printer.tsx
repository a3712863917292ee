import type { DockDevice, DockSlip } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { useTexts } from "../texts";
import { Faults } from "./faults";
import { Paper } from "./paper";

interface Props {
  printer: DockDevice;
  slips: DockSlip[];
  intend: Intend;
}

/** A printer that can be made to fail on purpose, and the paper that came out of it. */
export function PrinterBench({ printer, slips, intend }: Props) {
  const { say } = useTexts();
  const open = printer.faults.some((fault) => fault.verb === "cover_open" && fault.on);
  return (
    <div class="printer-part">
      <h3 class="bench-label">{say("console.dock.printer")}</h3>
      <div class="printer" data-cover={open ? "open" : "closed"}>
        <span class="printer-cover" aria-hidden="true" />
        <Faults device={printer} intend={intend} />
        <span class="printer-slot" aria-hidden="true" />
      </div>
      <Paper slips={slips} />
    </div>
  );
}
