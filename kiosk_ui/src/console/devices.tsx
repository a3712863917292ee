import { Check, Clock, Warning } from "../shared/icons";
import type { DeviceView } from "../shared/snapshots";
import { timingName } from "./device/figures";
import { lightOf } from "./health";
import { hrefOf } from "./place";
import { useTexts } from "./texts";
import { ACTIVITIES, kindName, LINKS, roleIcon, roleName } from "./words";

export function Devices({ devices }: { devices: DeviceView[] }) {
  const { say } = useTexts();
  return (
    <section class="devices" aria-labelledby="devices-title">
      <div class="panel-head">
        <h2 id="devices-title" class="section-title">
          {say("console.devices.title")}
        </h2>
        <a class="button" href={hrefOf({ at: "setup" })} data-testid="open-setup">
          {say("console.setup.open")}
        </a>
      </div>
      <ul class="device-cards">
        {devices.map((device) => (
          <DeviceCard key={device.role} device={device} />
        ))}
      </ul>
    </section>
  );
}

function DeviceCard({ device }: { device: DeviceView }) {
  const { say, number } = useTexts();
  const Icon = roleIcon(device.role);
  const light = lightOf(device);
  const name = roleName(device.role, say);
  const ms = (value: number | undefined) => `${number(value ?? 0)} ms`;
  const timing = device.timing ?? "";
  return (
    <li
      class="panel device"
      data-testid={`device-${device.role}`}
      data-link={device.link}
      data-light={light}
      data-opened={device.opened}
    >
      <div class="device-head">
        <Icon />
        <h3 class="device-name">{name}</h3>
        {device.virtual && <span class="virtual">{say("console.device.virtual")}</span>}
      </div>
      <StateBadge device={device} />
      <Trouble device={device} />
      <dl class="facts">
        <Fact name={say("console.device.role")} value={device.role} exact />
        <Fact name={say("console.device.kind")} value={kindName(device.kind, say)} />
        <Fact name={say("console.device.model")} value={device.model} />
        <Fact name={say("console.device.firmware")} value={device.firmware} />
        <Fact name={say("console.device.driver")} value={device.driver} exact />
        <Fact name={say("console.device.address")} value={device.address} exact />
        <Fact name={say("console.device.last_event")} value={device.last_event} />
        <Fact name={say("console.device.opened")} value={number(device.opened)} />
        <Fact
          name="p50 / p95"
          value={timing && `${ms(device.p50_ms)} / ${ms(device.p95_ms)} · ${timingName(timing, say)}`}
        />
      </dl>
      <a
        class="button look"
        href={hrefOf({ at: "device", role: device.role })}
        data-testid={`look-${device.role}`}
        aria-label={`${say("console.device.look")}: ${name}`}
      >
        {say("console.device.look")}
      </a>
    </li>
  );
}

/** The two axes, side by side: whether it is there, and what it is doing. */
export function StateBadge({ device }: { device: DeviceView }) {
  const { say } = useTexts();
  const link = LINKS[device.link];
  const Doing = device.activity === "idle" ? Check : device.activity === "busy" ? Clock : Warning;
  return (
    <p class="axes">
      <span class="badge" data-light={lightOf(device)}>
        <link.icon />
        <span>{say(link.text)}</span>
      </span>
      <span class="badge" data-activity={device.activity}>
        <Doing />
        <span>{say(ACTIVITIES[device.activity])}</span>
      </span>
    </p>
  );
}

/** What is wrong, what cannot be done now, what to do. */
export function Trouble({ device }: { device: DeviceView }) {
  const { say } = useTexts();
  const light = lightOf(device);
  if (light === "green") return null;
  return (
    <p class="trouble" data-light={light}>
      <strong>{device.sentence}</strong> <span>{device.consequence}</span> <span>{device.next_step}</span>
      {device.help !== "" && (
        <>
          {" "}
          <Help page={device.help} label={say("console.device.help")} />
        </>
      )}
    </p>
  );
}

/** Leads to the story of a reason. The page is in English, and in its own window: what is looked at here stays. */
export function Help({ page, label }: { page: string; label: string }) {
  return (
    <a href={`/help/${page.replace(/^docs\//, "")}`} target="_blank" rel="noopener" hreflang="en">
      {label}
    </a>
  );
}

export function Fact({ name, value, exact = false }: { name: string; value: string; exact?: boolean }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd class={exact ? "exact" : undefined}>{value === "" ? "—" : value}</dd>
    </div>
  );
}
