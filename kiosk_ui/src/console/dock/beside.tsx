import type { DockDevice } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { type MessageId, useTexts } from "../texts";
import { roleName } from "../words";
import { Faults } from "./faults";

const COLOURS: Record<string, MessageId> = {
  red: "console.dock.light_red",
  yellow: "console.dock.light_yellow",
  green: "console.dock.light_green",
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
            {device.kind === "drawer" && (
              <Drawer open={device.open} shut={() => intend("shut", { drawer: device.role })} />
            )}
            {device.kind === "display" && <Display lines={device.lines} />}
            {device.kind === "light" && <Lamp light={device.light} />}
            <Faults device={device} intend={intend} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Drawer({ open, shut }: { open: boolean | null; shut: () => void }) {
  const { say } = useTexts();
  if (open === null) return <p class="drawer">{say("console.dock.drawer_unknown")}</p>;
  return (
    <>
      <p class="drawer" data-state={open ? "open" : "closed"}>
        {say(open ? "console.dock.drawer_open" : "console.dock.drawer_closed")}
      </p>
      <button
        type="button"
        class="button bench-button"
        data-testid="dock-drawer-shut"
        disabled={!open}
        onClick={shut}
      >
        {say("console.dock.drawer_shut")}
      </button>
    </>
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

/** A tower of three colours, as it stands on the counter; the words say what the colours do. */
function Lamp({ light }: { light: string }) {
  const { say } = useTexts();
  const lit = light.split(" ");
  const words = Object.entries(COLOURS).filter(([colour]) => lit.includes(colour));
  return (
    <p class="lamp" data-light={light}>
      {Object.keys(COLOURS).map((colour) => (
        <span key={colour} class="lamp-glass" data-lit={lit.includes(colour) ? colour : ""} aria-hidden="true" />
      ))}
      <span>{words.length > 0 ? words.map(([, text]) => say(text)).join(" · ") : say("console.dock.light_off")}</span>
    </p>
  );
}
