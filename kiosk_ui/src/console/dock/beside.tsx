import type { DockDevice } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { type MessageId, useTexts } from "../texts";
import { roleName } from "../words";
import { Faults } from "./faults";

const LIGHTS: Record<string, MessageId> = {
  ready: "console.dock.light_ready",
  reading: "console.dock.light_reading",
  accepted: "console.dock.light_accepted",
  refused: "console.dock.light_refused",
  off: "console.dock.light_off",
};

/** The small devices: a drawer, a display, lights, each with what it shows now. */
export function Beside({ devices, intend }: { devices: DockDevice[]; intend: Intend }) {
  const { say } = useTexts();
  if (devices.length === 0) return null;
  return (
    <div class="beside-part">
      <h3 class="bench-label">{say("console.dock.beside")}</h3>
      <ul class="beside">
        {devices.map((device) => (
          <li key={device.role} class="thing" data-testid={`dock-${device.role}`}>
            <span class="thing-name">{roleName(device.role, say)}</span>
            {device.kind === "drawer" && <Drawer open={device.open} />}
            {device.kind === "display" && <Display lines={device.lines} />}
            {device.kind === "light" && <Lamp light={device.light} />}
            <Faults device={device} intend={intend} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Drawer({ open }: { open: boolean | null }) {
  const { say } = useTexts();
  const state = open === null ? "unknown" : open ? "open" : "closed";
  const words: Record<typeof state, MessageId> = {
    unknown: "console.dock.drawer_unknown",
    open: "console.dock.drawer_open",
    closed: "console.dock.drawer_closed",
  };
  return (
    <p class="drawer" data-state={state}>
      {say(words[state])}
    </p>
  );
}

function Display({ lines }: { lines: string[] }) {
  const { say } = useTexts();
  const dark = lines.every((line) => line.trim() === "");
  return dark ? (
    <p class="display" data-dark>
      {say("console.dock.display_empty")}
    </p>
  ) : (
    <pre class="display">{lines.join("\n")}</pre>
  );
}

function Lamp({ light }: { light: string }) {
  const { say } = useTexts();
  const words = LIGHTS[light];
  return (
    <p class="lamp" data-light={light}>
      <span class="lamp-glass" aria-hidden="true" />
      <span>{words ? say(words) : light}</span>
    </p>
  );
}
