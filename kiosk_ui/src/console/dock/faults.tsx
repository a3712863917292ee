import { useState } from "preact/hooks";

import type { DockDevice, DockFault } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { useTexts } from "../texts";
import { roleName } from "../words";
import { FAULTS } from "./fault_words";

const AMOUNT_MAX = 1_000_000;

interface Props {
  device: DockDevice;
  intend: Intend;
}

/** Everything that can be broken of one device; what is broken now shows also while the list is folded. */
export function Faults({ device, intend }: Props) {
  const { say, number } = useTexts();
  const inForce = device.faults.filter((fault) => fault.on).length;
  if (device.faults.length === 0) return null;
  return (
    <details class="faults" data-testid={`dock-faults-${device.role}`} data-broken={inForce > 0}>
      <summary class="faults-title">
        <span>{say("console.dock.faults")}</span>
        <span class="visually-hidden">{roleName(device.role, say)}</span>
        {inForce > 0 && <strong class="faults-count">{say("console.dock.in_force", { count: number(inForce) })}</strong>}
      </summary>
      <ul class="switches">
        {device.faults.map((fault) => (
          <Fault key={fault.verb} role={device.role} fault={fault} intend={intend} />
        ))}
      </ul>
    </details>
  );
}

function Fault({ role, fault, intend }: { role: string; fault: DockFault; intend: Intend }) {
  const { say } = useTexts();
  const [typed, setTyped] = useState<string | null>(null);
  const words = FAULTS[fault.verb];
  const name = words ? say(words.text) : fault.verb;
  const usual = fault.amount === null ? "" : String(fault.amount);

  function pull(on: boolean): void {
    const amount = fault.amount === null ? null : Number.parseInt(typed ?? usual, 10);
    intend("fault", { device: role, verb: fault.verb, on, amount: Number.isNaN(amount) ? null : amount });
    setTyped(null);
  }

  return (
    <li class="fault">
      <button
        type="button"
        class="switch"
        data-once={fault.once}
        data-testid={`dock-fault-${role}-${fault.verb}`}
        aria-pressed={fault.on}
        onClick={() => pull(!fault.on)}
      >
        <span class="switch-track" aria-hidden="true">
          <span class="switch-knob" />
        </span>
        <span class="switch-words">
          <strong>{name}</strong>
          <span>{fault.once && fault.on ? say("console.dock.ordered") : words && say(words.note)}</span>
        </span>
      </button>
      {fault.amount !== null && (
        <input
          class="fault-amount"
          type="number"
          inputMode="numeric"
          min={0}
          max={AMOUNT_MAX}
          aria-label={say("console.dock.amount", { fault: name })}
          data-testid={`dock-amount-${role}-${fault.verb}`}
          value={typed ?? usual}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onChange={() => fault.on && pull(true)}
        />
      )}
    </li>
  );
}
