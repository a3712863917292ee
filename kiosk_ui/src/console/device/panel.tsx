import { useLayoutEffect, useRef } from "preact/hooks";

import { Cross } from "../../shared/icons";
import type { Console, DeviceView } from "../../shared/snapshots";
import { StateBadge, Trouble } from "../devices";
import type { Intend } from "../intents";
import { hrefOf } from "../place";
import { useTexts } from "../texts";
import { isPrinter, kindName, roleIcon, roleName } from "../words";
import type { Tell } from "./asking";
import { ClaimBar } from "./claim_bar";
import { useClaim } from "./claiming";
import { Controls } from "./controls";
import { Events } from "./events";
import { Advice, Capabilities, Figures, Identity } from "./figures";
import { HealthCheck } from "./health_check";
import { useDetails, useEvents } from "./listening";
import { PrinterTests } from "./printer_tests";
import { RecordPanel } from "./record";
import { Trial } from "./trial";

interface Props {
  view: Console;
  device: DeviceView;
  intend: Intend;
  tell: Tell;
}

const WITH_TRIALS: ReadonlySet<string> = new Set(["card_reader", "barcode_scanner"]);

/** Everything about one device: how it is, what it can, what it did, and what can be tried with it. */
export function DevicePanel({ view, device, intend, tell }: Props) {
  const { say } = useTexts();
  const { role } = device;
  const heading = useRef<HTMLHeadingElement>(null);
  const details = useDetails(role, `${device.link} ${device.opened}`, tell);
  const events = useEvents(role);
  const claiming = useClaim(device, tell);
  const Icon = roleIcon(role);

  useLayoutEffect(() => {
    heading.current?.focus();
    heading.current?.scrollIntoView({ block: "start" });
  }, []);

  return (
    <section class="panel closer" data-testid="device-panel" data-role={role} data-opened={device.opened} aria-labelledby="closer-title">
      <div class="panel-head">
        <h2 id="closer-title" class="section-title" tabIndex={-1} ref={heading}>
          <Icon />
          {roleName(role, say)}
        </h2>
        {device.virtual && <span class="virtual">{say("console.device.virtual")}</span>}
        <a class="button" href={hrefOf(null)} data-testid="close-device">
          <Cross />
          <span>{say("console.close")}</span>
        </a>
      </div>
      <StateBadge device={device} />
      <Trouble device={device} />
      <Controls device={device} intend={intend} tell={tell} />
      <div class="closer-parts">
        <div class="closer-column">
          {WITH_TRIALS.has(device.kind) && (
            <div class="part">
              <h3>{say(device.kind === "card_reader" ? "console.trial.tap" : "console.trial.scan")}</h3>
              <ClaimBar device={device} claiming={claiming} />
              {claiming.yours && <Trial device={device} events={events} />}
            </div>
          )}
          {isPrinter(role) && <PrinterTests role={role} view={view} intend={intend} />}
          <HealthCheck key={view.language} device={device} tell={tell} />
          <RecordPanel role={role} tell={tell} />
        </div>
        <div class="closer-column">
          <Events events={events} />
          {details && <Identity details={details} kind={kindName(device.kind, say)} />}
          {details && <Advice details={details} />}
          {details && <Capabilities details={details} />}
          {details && <Figures details={details} />}
        </div>
      </div>
    </section>
  );
}
