import { Printer, Warning } from "../shared/icons";
import type { ReportView, ShiftView, Till } from "../shared/snapshots";
import { AmountField } from "./amount_field";
import type { Intend } from "./intents";
import { Panel } from "./panel";
import { MINOR_DIGITS } from "./pay";
import { useTexts } from "./texts";

interface Props {
  till: Till;
  intend: Intend;
  close: () => void;
}

/** The business day: opened with a float, read (X), and closed by a count that nobody has read before (Z). */
export function ShiftPanel({ till, intend, close }: Props) {
  const { say } = useTexts();
  const shift = till.shift;
  if (!shift) return null;
  const digits = till.totals.minor_digits ?? MINOR_DIGITS;
  return (
    <Panel title={say("till.shift.title", { number: shift.number })} name="shift" close={close}>
      {shift.report ? (
        <Report report={shift.report} intend={intend} />
      ) : (
        <>
          <Opening shift={shift} digits={digits} intend={intend} />
          <div class="panel-choices">
            <button
              type="button"
              class="button quiet"
              data-testid="shift-report"
              onClick={() => void intend("shift-report")}
            >
              <span>{say("till.shift.x")}</span>
              <kbd>F2</kbd>
            </button>
          </div>
        </>
      )}
    </Panel>
  );
}

/** One field for both: the float while the day is not open, the count when it is to be closed. */
function Opening({ shift, digits, intend }: { shift: ShiftView; digits: number; intend: Intend }) {
  const { say } = useTexts();
  const { number, opened } = shift;
  return (
    <>
      <p class="panel-note" data-testid="shift-state">
        {opened ? say("till.shift.open_since", { time: opened, amount: shift.float }) : say("till.shift.not_open")}
      </p>
      <AmountField
        key={opened ?? "closed"}
        label={say(opened ? "till.shift.count" : "till.shift.float")}
        name="drawer"
        digits={digits}
        suggested={0}
        take={(amount_minor) =>
          void (opened ? intend("shift-close", { number, amount_minor }) : intend("shift-open", { amount_minor }))
        }
        go={() => say(opened ? "till.shift.close" : "till.shift.open")}
      />
    </>
  );
}

function Report({ report, intend }: { report: ReportView; intend: Intend }) {
  const { say } = useTexts();
  return (
    <div class="report" data-testid="report" data-final={report.is_final}>
      <p class="panel-note">
        <strong>{say(report.is_final ? "till.shift.z_title" : "till.shift.x_title", { number: report.number })}</strong>{" "}
        {report.staff} · {report.since}–{report.until}
      </p>
      {report.difference !== null && (
        <p class={report.differs ? "because" : "offer"} role="status" data-testid="shift-difference">
          {say(report.differs ? "till.shift.differs" : "till.shift.fits", { amount: report.difference })}
        </p>
      )}
      {report.pending.length > 0 && (
        <p class="because">
          <Warning /> {say("till.shift.pending", { count: report.pending.length })}
        </p>
      )}
      {report.sections
        .filter(({ rows }) => rows.length > 0)
        .map(({ title, rows }) => (
          <table key={title} class="report-table">
            <caption>{title}</caption>
            <tbody>
              {rows.map(({ name, amount }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{amount}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ))}
      {report.unsynced > 0 && <p class="empty">{say("till.shift.unsynced", { count: report.unsynced })}</p>}
      <div class="panel-choices">
        <button type="button" class="button quiet" data-testid="shift-print" onClick={() => void intend("shift-print")}>
          <Printer />
          <span>{say("till.shift.print")}</span>
          <kbd>F3</kbd>
        </button>
      </div>
    </div>
  );
}
