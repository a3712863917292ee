import { Printer } from "../shared/icons";
import type { DeviceView, PrintView } from "../shared/snapshots";
import { lightOfPrint } from "./health";
import type { Intend } from "./intents";
import { useTexts } from "./texts";
import { isPrinter, PRINT_STATES, printKind } from "./words";

interface Props {
  prints: PrintView[];
  devices: DeviceView[];
  intend: Intend;
}

/** What became of each slip, and by what evidence we say so. */
export function Prints({ prints, devices, intend }: Props) {
  const { say } = useTexts();
  const printer = devices.find((device) => isPrinter(device.role));
  return (
    <section class="panel" data-testid="prints" aria-labelledby="prints-title">
      <div class="panel-head">
        <h2 id="prints-title" class="section-title">
          {say("console.prints.title")}
        </h2>
        {printer && (
          <button
            type="button"
            class="button primary"
            data-testid="test-print"
            onClick={() => intend("test-print", { role: printer.role })}
          >
            <Printer />
            <span>{say("console.prints.test")}</span>
          </button>
        )}
      </div>
      {prints.length === 0 && <p class="hint">{say("console.prints.none")}</p>}
      <ul class="print-list">
        {prints.map((print) => (
          <PrintRow key={print.job} print={print} />
        ))}
      </ul>
    </section>
  );
}

function PrintRow({ print }: { print: PrintView }) {
  const { say } = useTexts();
  const state = PRINT_STATES[print.state];
  const reason = print.reason === print.state ? "" : print.reason;
  return (
    <li class="print" data-testid={`print-${print.job}`} data-state={print.state} data-kind={print.kind}>
      <p class="badge" data-light={lightOfPrint(print)}>
        <state.icon />
        <span>{say(state.text)}</span>
      </p>
      <p class="print-what">
        <strong>{printKind(print.kind, say)}</strong> <code>{print.job}</code>
      </p>
      {(reason !== "" || print.evidence !== "") && (
        <p class="print-why">
          {reason !== "" && <code>{reason}</code>}
          {print.evidence !== "" && <span>{`${say("console.print.evidence")} ${print.evidence}`}</span>}
        </p>
      )}
    </li>
  );
}
