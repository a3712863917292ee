import type { DeviceView } from "../shared/snapshots";
import { lightOf } from "./health";
import { useTexts } from "./texts";
import { ACTIVITIES, LINKS, roleIcon, roleName } from "./words";

export function Devices({ devices }: { devices: DeviceView[] }) {
  const { say } = useTexts();
  return (
    <section class="devices" aria-labelledby="devices-title">
      <h2 id="devices-title" class="section-title">
        {say("console.devices.title")}
      </h2>
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
  const link = LINKS[device.link];
  const light = lightOf(device);
  return (
    <li class="panel device" data-testid={`device-${device.role}`} data-link={device.link} data-light={light}>
      <div class="device-head">
        <Icon />
        <h3 class="device-name">{roleName(device.role, say)}</h3>
        {device.virtual && <span class="virtual">{say("console.device.virtual")}</span>}
      </div>
      <p class="badge" data-light={light}>
        <link.icon />
        <span>{say(link.text)}</span>
      </p>
      {light !== "green" && (
        <p class="trouble" data-light={light}>
          <strong>{device.sentence}</strong> <span>{device.next_step}</span>
        </p>
      )}
      <dl class="facts">
        <Fact name={say("console.device.role")} value={device.role} exact />
        <Fact name={say("console.device.driver")} value={device.driver} exact />
        <Fact name={say("console.device.model")} value={device.model} />
        <Fact name={say("console.device.address")} value={device.address} exact />
        <Fact name={say("console.device.activity")} value={say(ACTIVITIES[device.activity])} />
        <Fact name={say("console.device.last_event")} value={device.last_event} />
        <Fact name={say("console.device.opened")} value={number(device.opened)} />
      </dl>
    </li>
  );
}

function Fact({ name, value, exact = false }: { name: string; value: string; exact?: boolean }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd class={exact ? "exact" : undefined}>{value === "" ? "—" : value}</dd>
    </div>
  );
}
