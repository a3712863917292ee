import { Cloud } from "../shared/icons";
import type { Console, DeviceView } from "../shared/snapshots";
import { lightOf, needingAttention, overallLight } from "./health";
import type { Intend } from "./intents";
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
          <p class="light-note">{say("console.overview.devices", { fine, all: view.devices.length })}</p>
        </div>
      </div>
      <ul class="attention">
        {troubled.map((device) => (
          <Attention key={device.role} device={device} intend={intend} />
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

function Attention({ device, intend }: { device: DeviceView; intend: Intend }) {
  const { say } = useTexts();
  const Icon = roleIcon(device.role);
  return (
    <li class="attention-item" data-light={lightOf(device)}>
      <Icon />
      <p class="attention-words">
        <strong>{roleName(device.role, say)}</strong>
        <span>{device.sentence}</span>
        <span>{device.next_step}</span>
      </p>
      <button
        type="button"
        class="button"
        data-testid={`wake-${device.role}`}
        onClick={() => intend("wake", { role: device.role })}
      >
        {say("console.overview.wake")}
      </button>
    </li>
  );
}
