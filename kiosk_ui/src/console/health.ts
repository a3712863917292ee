import type { Console, DeviceView, PrintView } from "../shared/snapshots";

/** How much attention something needs: none, soon, now. */
export type Light = "green" | "amber" | "red";

const LIGHT_OF_LINK: Record<DeviceView["link"], Light> = {
  online: "green",
  opening: "amber",
  discovered: "amber",
  degraded: "amber",
  absent: "red",
  lost: "red",
  backing_off: "red",
  blocked: "red",
  disabled: "amber",
};

const SEVERITY: Record<Light, number> = { green: 0, amber: 1, red: 2 };

export function lightOf(device: DeviceView): Light {
  const light = LIGHT_OF_LINK[device.link];
  return light === "green" && device.activity === "error" ? "amber" : light;
}

/** The shop works on without central, so sync never makes the light red. */
export function lightOfSync({ enrolled, online, problem }: Console["sync"]): Light {
  return enrolled && online && problem === null ? "green" : "amber";
}

/** Returns the worst light of the machine. */
export function overallLight(view: Console): Light {
  const lights = [...view.devices.map(lightOf), lightOfSync(view.sync)];
  return lights.reduce((worst, light) => (SEVERITY[light] > SEVERITY[worst] ? light : worst), "green");
}

/** Returns the devices that are not fine, the worst first. */
export function needingAttention(devices: DeviceView[]): DeviceView[] {
  return devices
    .filter((device) => lightOf(device) !== "green")
    .sort((one, other) => SEVERITY[lightOf(other)] - SEVERITY[lightOf(one)]);
}

/** A slip that waits for a reason or about which a person is asked needs a look; one that expired, or of which
 * nobody can tell, is nobody's task. */
export function lightOfPrint({ state, reason, asks }: PrintView): Light | undefined {
  if (state === "expired" || (state === "unknown" && !asks)) return undefined;
  if (state === "failed") return "red";
  return state === "unknown" || (state === "queued" && reason !== "") ? "amber" : "green";
}
