import type { DockNetwork } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { type MessageId, useTexts } from "../texts";

type Choice = Exclude<DockNetwork["state"], "other">;

const CHOICES: Record<Choice, { text: MessageId; note: MessageId }> = {
  well: { text: "console.dock.network_well", note: "console.dock.network_well_note" },
  cut: { text: "console.dock.network_cut", note: "console.dock.network_cut_note" },
  replies_lost: { text: "console.dock.network_replies_lost", note: "console.dock.network_replies_lost_note" },
  slow: { text: "console.dock.network_slow", note: "console.dock.network_slow_note" },
};

/** The shop's line to central: what it is now, as the lab says, and what went through. */
export function Network({ network, intend }: { network: DockNetwork; intend: Intend }) {
  const { say, number } = useTexts();
  const { state, requests, replies, lost } = network;
  return (
    <section
      class="network"
      data-testid="dock-network"
      data-state={state}
      aria-labelledby="dock-network-title"
    >
      <h3 id="dock-network-title" class="bench-label">
        {say("console.dock.network")}
      </h3>
      <ul class="switches">
        {Object.entries(CHOICES).map(([choice, words]) => (
          <li key={choice} class="fault">
            <button
              type="button"
              class="switch network-choice"
              data-testid={`dock-network-${choice}`}
              data-bad={choice !== "well"}
              aria-pressed={choice === state}
              onClick={() => intend("network", { state: choice })}
            >
              <span class="network-lamp" aria-hidden="true" />
              <span class="switch-words">
                <strong>{say(words.text)}</strong>
                <span>{say(words.note)}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p class="network-passed" data-testid="dock-network-passed">
        {state === "other" && <strong>{say("console.dock.network_other")} · </strong>}
        {say("console.dock.network_passed", {
          requests: number(requests),
          replies: number(replies),
          lost: number(lost),
        })}
      </p>
    </section>
  );
}
