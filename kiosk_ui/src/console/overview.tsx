import { Check, Cloud } from "../shared/icons";
import type { Console, DeviceView, RepairView } from "../shared/snapshots";
import { Help } from "./devices";
import { lightOf, needingAttention, overallLight } from "./health";
import type { Intend } from "./intents";
import { hrefOf } from "./place";
import { useTexts } from "./texts";
import { LIGHTS, roleIcon, roleName } from "./words";

/** The first look: is all well, and if not, what is wrong and what to do about it. */
export function Overview({ view, intend }: { view: Console; intend: Intend }) {
  const { say } = useTexts();
  const light = overallLight(view);
  const { icon: Mark, text } = LIGHTS[light];
  const troubled = needingAttention(view.devices);
  const { problem } = view.sync;
  const fine = view.devices.length - troubled.length;
  return (
    <section class="overview" data-testid="overview" data-light={light} aria-labelledby="overview-title">
      <div class="light" role="status">
        <span class="light-mark">
          <Mark />
        </span>
        <div>
          <h2 id="overview-title" class="light-title">
            {say(text)}
          </h2>
          <p class="light-note">
            {say("console.overview.devices", { fine, all: view.devices.length })}
            {view.repairs.length > 0 && ` · ${say("console.overview.repairs", { count: view.repairs.length })}`}
          </p>
        </div>
      </div>
      <ul class="attention">
        {troubled.map((device) => (
          <Attention
            key={device.role}
            device={device}
            repair={view.repairs.find((repair) => repair.device === device.role)}
            intend={intend}
          />
        ))}
        {problem && (
          <li class="attention-item" data-light="amber">
            <Cloud />
            <p class="attention-words">
              <strong>{say("console.sync.title")}</strong>
              <span>{problem.sentence}</span>
              <span>{problem.next_step}</span>
            </p>
          </li>
        )}
      </ul>
    </section>
  );
}

interface AttentionProps {
  device: DeviceView;
  /** A person has to do something about it, and nobody has said yet that they know. */
  repair: RepairView | undefined;
  intend: Intend;
}

function Attention({ device, repair, intend }: AttentionProps) {
  const { say } = useTexts();
  const { role } = device;
  const Icon = roleIcon(role);
  const name = roleName(role, say);
  return (
    <li class="attention-item" data-light={lightOf(device)} data-testid={`attention-${role}`} data-repair={!!repair}>
      <Icon />
      <p class="attention-words">
        <strong>
          <a href={hrefOf({ at: "device", role })}>{name}</a>
        </strong>
        <span>{device.sentence}</span>
        <span>{device.consequence}</span>
        <span>{device.next_step}</span>
        {device.help !== "" && <Help page={device.help} label={say("console.device.help")} />}
      </p>
      <p class="buttons">
        {repair && (
          <button
            type="button"
            class="button"
            data-testid={`acknowledge-${role}`}
            aria-label={`${say("console.repair.acknowledge")}: ${name}`}
            onClick={() => intend("acknowledge", { id: repair.id })}
          >
            <Check />
            <span>{say("console.repair.acknowledge")}</span>
          </button>
        )}
        <button
          type="button"
          class="button"
          data-testid={`wake-${role}`}
          aria-label={`${say("console.overview.wake")}: ${name}`}
          onClick={() => intend("wake", { role })}
        >
          {say("console.overview.wake")}
        </button>
      </p>
    </li>
  );
}
