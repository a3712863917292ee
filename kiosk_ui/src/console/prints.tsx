import { Printer } from "../shared/icons";
import type { DeviceView, PaperView, PrintView } from "../shared/snapshots";
import { lightOfPrint } from "./health";
import type { Intend } from "./intents";
import { PaperWords } from "./paper";
import { useTexts } from "./texts";
import { isPrinter, printKind, signOfPrint } from "./words";

interface Props {
  prints: PrintView[];
  devices: DeviceView[];
  paper: PaperView | null;
  intend: Intend;
}

/** What became of each slip, and by what evidence we say so. */
export function Prints({ prints, devices, paper, intend }: Props) {
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
      {paper && <PaperWords paper={paper} intend={intend} />}
      {prints.length === 0 && <p class="hint">{say("console.prints.none")}</p>}
      <ul class="print-list" tabIndex={0} aria-labelledby="prints-title">
        {prints.map((print) => (
          <PrintRow key={print.job} print={print} intend={intend} />
        ))}
      </ul>
    </section>
  );
}

function PrintRow({ print, intend }: { print: PrintView; intend: Intend }) {
  const { say } = useTexts();
  const state = signOfPrint(print);
  const name = `${printKind(print.kind, say)} ${print.number ?? ""}`;
  return (
    <li class="print" data-testid={`print-${print.job}`} data-state={print.state} data-kind={print.kind}>
      <p class="badge" data-light={lightOfPrint(print)}>
        <state.icon />
        <span>{say(state.text)}</span>
      </p>
      <p class="print-what">
        <strong>{name}</strong> {(print.copies ?? 0) > 0 && <span class="copy">{say("console.print.copy")}</span>}{" "}
        <code>{print.job}</code>
      </p>
      <p class="print-why">
        {(print.sentence ?? "") !== "" && <span>{print.sentence}</span>}
        {print.evidence !== "" && <span>{`${say("console.print.evidence")} ${print.evidence}`}</span>}
      </p>
      {(print.asks || print.can_repeat) && (
        <p class="buttons print-acts">
          {print.asks && (
            <>
              <button
                type="button"
                class="button primary"
                data-testid={`came-out-${print.job}`}
                aria-label={`${say("console.print.yes")}: ${name}`}
                onClick={() => intend("slip-came-out", { job: print.job, yes: true })}
              >
                {say("console.print.yes")}
              </button>
              <button
                type="button"
                class="button"
                data-testid={`not-out-${print.job}`}
                aria-label={`${say("console.print.no")}: ${name}`}
                onClick={() => intend("slip-came-out", { job: print.job, yes: false })}
              >
                {say("console.print.no")}
              </button>
            </>
          )}
          {print.can_repeat && !print.asks && (
            <button
              type="button"
              class="button"
              data-testid={`again-${print.job}`}
              aria-label={`${say("console.print.again")}: ${name}`}
              onClick={() => intend("slip-again", { job: print.job })}
            >
              {say("console.print.again")}
            </button>
          )}
        </p>
      )}
    </li>
  );
}
