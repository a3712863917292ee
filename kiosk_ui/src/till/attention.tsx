import { Check, Cross, Printer, Unsure, Warning } from "../shared/icons";
import type { Till, TroubleView } from "../shared/snapshots";
import type { Intend } from "./intents";
import { KioskCalls } from "./kiosk_calls";
import { type MessageId, useTexts } from "./texts";

const DEVICES: Record<TroubleView["device"], { name: MessageId; works: MessageId }> = {
  reader: { name: "till.trouble.reader", works: "till.works.reader" },
  scanner: { name: "till.trouble.scanner", works: "till.works.scanner" },
  printer: { name: "till.trouble.printer", works: "till.works.printer" },
  drawer: { name: "till.trouble.drawer", works: "till.works.drawer" },
  display: { name: "till.trouble.display", works: "till.works.display" },
  light: { name: "till.trouble.light", works: "till.works.light" },
};
const PLAIN: Record<TroubleView["plain"], MessageId> = {
  absent: "till.plain.absent",
  silent: "till.plain.silent",
  paper_out: "till.plain.paper_out",
  cover_open: "till.plain.cover_open",
  jammed: "till.plain.jammed",
  hot: "till.plain.hot",
  paper_low: "till.plain.paper_low",
  technician: "till.plain.technician",
  off: "till.plain.off",
};

type Say = ReturnType<typeof useTexts>["say"];

/** Says what is wrong with a device and what still works; while it only runs low, everything does. */
export function troubleWords({ device, plain }: TroubleView, say: Say): string {
  const said = say("till.trouble.line", { device: say(DEVICES[device].name), words: say(PLAIN[plain]) });
  return plain === "paper_low" ? said : `${said} ${say(DEVICES[device].works)}`;
}

interface Props {
  till: Till;
  /** A key answers for a slip now; not while money is taken or goods come back. */
  keyed: boolean;
  intend: Intend;
}

/** What the things around the till ask for, in a line that takes no focus and goes by itself. */
export function Attention({ till, keyed, intend }: Props) {
  const { say, number } = useTexts();
  const troubles = till.troubles ?? [];
  const low = till.paper_left != null && !troubles.some(({ device }) => device === "printer");
  return (
    <section class="attention" aria-label={say("till.attention")}>
      <div role="status">
        {troubles.map((trouble) => (
          <p key={trouble.device} class="attention-line" data-testid={`trouble-${trouble.device}`}>
            <Warning />
            <span>{troubleWords(trouble, say)}</span>
          </p>
        ))}
        {low && (
          <p class="attention-line" data-testid="paper-low">
            <Printer />
            <span>
              {say("till.trouble.line", {
                device: say("till.trouble.printer"),
                words: say("till.plain.paper_left", { count: number(till.paper_left ?? 0) }),
              })}
            </span>
          </p>
        )}
        {till.drawer && (
          <p class="attention-line" data-testid="drawer" data-state={till.drawer.state}>
            <Warning />
            <span>
              <strong>{till.drawer.sentence}</strong> {till.drawer.next_step}
            </span>
          </p>
        )}
      </div>
      <KioskCalls till={till} intend={intend} />
      <Doubt till={till} keyed={keyed} intend={intend} />
    </section>
  );
}

/** Answers for the newest slip of which only a person knows whether it came out. */
export function answerDoubt(till: Till, yes: boolean, intend: Intend): void {
  const job = till.doubtful[0]?.job;
  if (job !== undefined) void intend("slip-came-out", { job, yes });
}

function Doubt({ till, keyed, intend }: Props) {
  const { say } = useTexts();
  const slip = till.doubtful[0];
  if (!slip) return null;
  return (
    <div class="attention-line doubt" data-testid="doubt" data-job={slip.job}>
      <Unsure />
      <p role="status">{say("till.doubt.title", { number: slip.number ?? "" })}</p>
      <button
        type="button"
        class="button primary"
        data-testid="came-out"
        onClick={() => answerDoubt(till, true, intend)}
      >
        <Check />
        <span>{say("till.doubt.yes")}</span>
        {keyed && <kbd>PgUp</kbd>}
      </button>
      <button
        type="button"
        class="button quiet"
        data-testid="not-out"
        onClick={() => answerDoubt(till, false, intend)}
      >
        <Cross />
        <span>{say("till.doubt.no")}</span>
        {keyed && <kbd>PgDn</kbd>}
      </button>
    </div>
  );
}
