import type { DockPrinter, DockSlip } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { type MessageId, useTexts } from "../texts";
import { Paper } from "./paper";

interface Switch {
  key: keyof DockPrinter;
  testId: string;
  text: MessageId;
  note: MessageId;
}

const SWITCHES: Switch[] = [
  { key: "paper_out", testId: "dock-paper-out", text: "console.dock.paper_out", note: "console.dock.paper_out_note" },
  { key: "cover_open", testId: "dock-cover-open", text: "console.dock.cover_open", note: "console.dock.cover_open_note" },
  { key: "mute", testId: "dock-mute", text: "console.dock.mute", note: "console.dock.mute_note" },
];

interface Props {
  printer: DockPrinter;
  slips: DockSlip[];
  intend: Intend;
}

/** A printer that can be made to fail on purpose, and the paper that came out of it. */
export function PrinterBench({ printer, slips, intend }: Props) {
  const { say } = useTexts();
  const ready = !printer.paper_out && !printer.cover_open && !printer.mute;
  return (
    <div class="printer-part">
      <h3 class="bench-label">{say("console.dock.printer")}</h3>
      <div class="printer" data-ready={ready} data-cover={printer.cover_open ? "open" : "closed"}>
        <span class="printer-cover" aria-hidden="true" />
        <div class="switches">
          {SWITCHES.map(({ key, testId, text, note }) => (
            <button
              key={key}
              type="button"
              class="switch"
              data-testid={testId}
              aria-pressed={printer[key]}
              onClick={() => intend("printer", { [key]: !printer[key] })}
            >
              <span class="switch-track" aria-hidden="true">
                <span class="switch-knob" />
              </span>
              <span class="switch-words">
                <strong>{say(text)}</strong>
                <span>{say(note)}</span>
              </span>
            </button>
          ))}
        </div>
        <span class="printer-slot" aria-hidden="true" />
      </div>
      <Paper slips={slips} />
    </div>
  );
}
