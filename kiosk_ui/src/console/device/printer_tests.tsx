import { Printer } from "../../shared/icons";
import type { Console } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { PaperWords } from "../paper";
import { useTexts } from "../texts";

interface Props {
  role: string;
  view: Console;
  intend: Intend;
}

/** Two slips to try it with, and the roll that is in it. */
export function PrinterTests({ role, view, intend }: Props) {
  const { say } = useTexts();
  return (
    <div class="part">
      <h3>{say("console.printer.title")}</h3>
      <p class="hint">{say("console.printer.note")}</p>
      <p class="buttons">
        <button
          type="button"
          class="button primary"
          data-testid="device-test-print"
          onClick={() => intend("test-print", { role })}
        >
          <Printer />
          <span>{say("console.prints.test")}</span>
        </button>
        <button type="button" class="button" data-testid="print-status" onClick={() => intend("print-status")}>
          {say("console.printer.status")}
        </button>
      </p>
      {view.paper && <PaperWords paper={view.paper} intend={intend} />}
    </div>
  );
}
