import type { CapabilityView, DeviceDetails, TimingView } from "../../shared/snapshots";
import { Fact } from "../devices";
import { type MessageId, useTexts } from "../texts";

const SOURCES: Record<CapabilityView["source"], MessageId> = {
  default: "console.source.default",
  detected: "console.source.detected",
  quirk: "console.source.quirk",
  operator: "console.source.operator",
};
const TIMINGS: Record<string, MessageId> = {
  tap_to_card: "console.timing.tap_to_card",
  card_read: "console.timing.card_read",
  report_to_disk: "console.timing.report_to_disk",
  print_job: "console.timing.print_job",
  first_byte: "console.timing.first_byte",
  recover: "console.timing.recover",
};

/** Names a timing; one that this page does not know keeps the driver's name. */
export function timingName(name: string, say: (id: MessageId) => string): string {
  const id = TIMINGS[name];
  return id === undefined ? name : say(id);
}

export function Identity({ details, kind }: { details: DeviceDetails; kind: string }) {
  const { say } = useTexts();
  const { device } = details;
  return (
    <div class="part">
      <h3>{say("console.identity.title")}</h3>
      <dl class="facts">
        <Fact name={say("console.device.kind")} value={kind} />
        <Fact name={say("console.device.model")} value={device.model} />
        <Fact name={say("console.device.firmware")} value={details.firmware} exact />
        <Fact name={say("console.device.serial")} value={details.serial} exact />
        <Fact name="USB" value={details.usb_id} exact />
        <Fact name={say("console.device.driver")} value={device.driver} exact />
        <Fact name={say("console.device.address")} value={device.address} exact />
        <Fact name={say("console.device.reason")} value={device.reason} exact />
        <Fact name={say("console.device.detail")} value={details.detail} exact />
      </dl>
    </div>
  );
}

/** What a technician should know of this model. */
export function Advice({ details }: { details: DeviceDetails }) {
  const { say } = useTexts();
  if (details.advice.length === 0) return null;
  return (
    <div class="part" data-testid="advice">
      <h3>{say("console.advice.title")}</h3>
      <ul class="advice">
        {details.advice.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </div>
  );
}

/** What the device can do, and who says so. */
export function Capabilities({ details }: { details: DeviceDetails }) {
  const { say } = useTexts();
  if (details.capabilities.length === 0) return null;
  const known = (value: string) => {
    if (value === "True" || value === "False") return say(value === "True" ? "console.health.yes" : "console.health.no");
    return value === "" ? "—" : value;
  };
  return (
    <div class="part">
      <h3>{say("console.capabilities.title")}</h3>
      <table class="table" data-testid="capabilities">
        <thead>
          <tr>
            <th scope="col">{say("console.capabilities.name")}</th>
            <th scope="col">{say("console.capabilities.value")}</th>
            <th scope="col">{say("console.capabilities.source")}</th>
          </tr>
        </thead>
        <tbody>
          {details.capabilities.map((one) => (
            <tr key={one.name}>
              <th scope="row" class="exact">
                {one.name}
              </th>
              <td class="exact">{known(one.value)}</td>
              <td>{say(SOURCES[one.source])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What it has done, by the names of UnifiedPOS, and how long that took. */
export function Figures({ details }: { details: DeviceDetails }) {
  const { say, number } = useTexts();
  const { counters, hours_powered, opened, lost, timings } = details.statistics;
  const all = { HoursPoweredCount: hours_powered, Opened: opened, Lost: lost, ...counters };
  return (
    <div class="part">
      <h3>{say("console.statistics.title")}</h3>
      <dl class="facts counters" data-testid="statistics">
        {Object.entries(all).map(([name, value]) => (
          <Fact key={name} name={name} value={number(value)} />
        ))}
      </dl>
      {timings.map((timing) => (
        <Timing key={timing.name} timing={timing} />
      ))}
    </div>
  );
}

function Timing({ timing }: { timing: TimingView }) {
  const { say, number } = useTexts();
  const ms = (value: number) => `${number(value)} ms`;
  return (
    <div class="timing" data-testid={`timing-${timing.name}`}>
      <h4>{timingName(timing.name, say)}</h4>
      <dl class="figures">
        <Figure name="p50" value={ms(timing.p50_ms)} />
        <Figure name="p95" value={ms(timing.p95_ms)} />
        <Figure name={say("console.timing.longest")} value={ms(timing.longest_ms)} />
        <Figure name={say("console.timing.count")} value={number(timing.count)} />
      </dl>
      <Histogram timing={timing} />
    </div>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const BAR = 24;
const HEIGHT = 60;

/** How many took how long; the figures above say the same in words. */
function Histogram({ timing }: { timing: TimingView }) {
  const counts = timing.buckets.map((bucket, place) => upTo(bucket) - upTo(timing.buckets[place - 1]));
  const highest = Math.max(1, ...counts);
  return (
    <svg
      class="histogram"
      viewBox={`0 0 ${Math.max(1, counts.length) * BAR} ${HEIGHT + 2}`}
      aria-hidden="true"
      focusable="false"
    >
      {counts.map((count, place) => {
        const height = (count / highest) * HEIGHT;
        return <rect key={place} x={place * BAR + 2} y={HEIGHT - height} width={BAR - 4} height={height + 1} />;
      })}
    </svg>
  );
}

function upTo(bucket: TimingView["buckets"][number] | undefined): number {
  return bucket?.[1] ?? 0;
}
