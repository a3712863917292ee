import { useEffect, useState } from "preact/hooks";

import type { DeviceEventView, DeviceView, HealthView } from "../../shared/snapshots";
import { ask, type Tell } from "../device/asking";
import { ClaimBar } from "../device/claim_bar";
import { useClaim } from "../device/claiming";
import { Findings } from "../device/health_check";
import { useEvents } from "../device/listening";
import { type MessageId, useTexts } from "../texts";
import { roleName } from "../words";
import { type Probe, pictureOf } from "./sheets";

interface Props {
  probes: Probe[];
  scanners: DeviceView[];
  tell: Tell;
}

const PROBES: Record<Probe["id"], MessageId> = { linear: "console.probe.linear", matrix: "console.probe.matrix" };

/** Chooses the scanner that is checked. */
export function ProbeTest({ probes, scanners, tell }: Props) {
  const { say } = useTexts();
  const [chosen, choose] = useState("");
  const scanner = scanners.find(({ role }) => role === chosen) ?? scanners[0];
  return (
    <div class="part" data-testid="probe">
      <h3>{say("console.probe.title")}</h3>
      <p class="hint">{say("console.probe.note")}</p>
      {scanners.length > 1 && (
        <div class="buttons" role="group" aria-label={say("console.probe.scanner")}>
          {scanners.map(({ role }) => (
            <button
              key={role}
              type="button"
              class="button"
              aria-pressed={role === scanner?.role}
              onClick={() => choose(role)}
            >
              {roleName(role, say)}
            </button>
          ))}
        </div>
      )}
      {scanner ? (
        <ScannerProbe key={scanner.role} scanner={scanner} probes={probes} tell={tell} />
      ) : (
        <p>{say("console.probe.no_scanner")}</p>
      )}
    </div>
  );
}

/** Shows a code, waits until the scanner has read it, and says what it made of it. */
function ScannerProbe({ scanner, probes, tell }: { scanner: DeviceView; probes: Probe[]; tell: Tell }) {
  const { say } = useTexts();
  const claiming = useClaim(scanner, tell);
  const events = useEvents(scanner.role);
  const [kind, setKind] = useState<Probe["id"]>("linear");
  const [found, setFound] = useState<HealthView | null>(null);
  const probe = probes.find(({ id }) => id === kind);
  const read = events.find((event) => event.type === "data" && event.private?.["text"] !== undefined);

  useEffect(() => {
    if (claiming.yours && read) void judge(kind, read);
  }, [read?.seq]);

  async function judge(id: Probe["id"], { data, private: mine }: DeviceEventView): Promise<void> {
    const body = {
      probe: id,
      text: mine?.["text"] ?? "",
      aim_id: String(data["aim_id"] ?? ""),
      encoding: String(data["encoding"] ?? ""),
    };
    const { value, problem } = await ask<HealthView>("scanner-setup/judge", body);
    if (problem) tell(problem);
    else setFound(value);
  }

  return (
    <>
      <ClaimBar device={scanner} claiming={claiming} />
      {claiming.yours && (
        <>
          <div class="buttons" role="group" aria-label={say("console.probe.title")}>
            {probes.map(({ id }) => (
              <button
                key={id}
                type="button"
                class="button"
                aria-pressed={id === kind}
                data-testid={`probe-${id}`}
                onClick={() => {
                  setKind(id);
                  setFound(null);
                }}
              >
                {say(PROBES[id])}
              </button>
            ))}
          </div>
          {probe && (
            <div class="code-sheet">
              <img src={pictureOf(probe.svg)} alt={say(PROBES[kind])} data-testid="probe-code" />
            </div>
          )}
          <div role="status">
            {found ? <Findings found={found} /> : <p class="hint">{say("console.probe.scan_now")}</p>}
          </div>
        </>
      )}
    </>
  );
}
