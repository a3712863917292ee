import { useState } from "preact/hooks";

import { Check, Clock, Cross } from "../../shared/icons";
import type { DeviceView, HealthView } from "../../shared/snapshots";
import { type MessageId, useTexts } from "../texts";
import { ask, type Tell } from "./asking";

type Level = HealthView["level"];

const LEVELS: Record<Level, { name: MessageId; note: MessageId }> = {
  internal: { name: "console.health.internal", note: "console.health.internal_note" },
  external: { name: "console.health.external", note: "console.health.external_note" },
  interactive: { name: "console.health.interactive", note: "console.health.interactive_note" },
};

/** Three looks at a device: what it says itself, what it can be made to do, what a person sees it do. */
export function HealthCheck({ device, tell }: { device: DeviceView; tell: Tell }) {
  const { say } = useTexts();
  const [asked, setAsked] = useState<Level | null>(null);
  const [checking, setChecking] = useState(false);
  const [found, setFound] = useState<HealthView | null>(null);

  async function check(level: Level): Promise<void> {
    tell(null);
    setAsked(level);
    setChecking(true);
    setFound(null);
    const { value, problem } = await ask<HealthView>(`devices/${device.role}/health`, { level });
    setChecking(false);
    if (problem) tell(problem);
    else setFound(value);
  }

  return (
    <div class="part" data-testid="health">
      <h3>{say("console.health.title")}</h3>
      <div class="buttons">
        {(Object.keys(LEVELS) as Level[]).map((level) => (
          <button
            key={level}
            type="button"
            class="button"
            data-testid={`health-${level}`}
            disabled={checking}
            onClick={() => void check(level)}
          >
            {say(LEVELS[level].name)}
          </button>
        ))}
      </div>
      <div role="status">
        {asked && checking && (
          <p>
            <Clock /> {say(LEVELS[asked].note)}
          </p>
        )}
        {found && <Findings found={found} />}
        {found && asked && found.level !== asked && (
          <p class="hint">{say("console.health.lower", { level: say(LEVELS[found.level].name) })}</p>
        )}
      </div>
    </div>
  );
}

/** What was looked at, with a sign and a word for how it is. */
export function Findings({ found }: { found: HealthView }) {
  const { say } = useTexts();
  return (
    <>
      <p class="badge" data-light={found.ok ? "green" : "red"} data-testid="health-verdict" data-ok={found.ok}>
        {found.ok ? <Check /> : <Cross />}
        <span>{say(found.ok ? "console.health.well" : "console.health.not_well")}</span>
      </p>
      <ul class="findings">
        {found.findings.map((one) => (
          <li key={one.code} data-testid={`finding-${one.code}`} data-ok={one.ok}>
            {one.ok ? <Check /> : <Cross />}
            <span>
              {one.sentence}: <strong>{say(one.ok ? "console.health.yes" : "console.health.no")}</strong>
              {one.detail !== "" && <code> {one.detail}</code>}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
