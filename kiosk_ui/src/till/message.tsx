import { Check, Warning } from "../shared/icons";
import type { Choice, Problem, Till } from "../shared/snapshots";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

/** Why something was not done, and what to do now. */
export function Refusal({ problem }: { problem: Problem | null }) {
  if (problem === null) return null;
  return (
    <div class="message error" role="alert" data-testid="message" data-code={problem.code}>
      <Warning />
      <p>
        <strong>{problem.sentence}</strong> <span>{problem.next_step}</span>
      </p>
    </div>
  );
}

/** What the daemon says about the last scan or key; it stands beside the box, so nothing moves when it comes. */
export function MessageLine({ message, refusal }: { message: Till["message"]; refusal: Problem | null }) {
  if (refusal !== null) return <Refusal problem={refusal} />;
  if (message === null) return <div class="message" role="status" />;
  if (message.kind === "error") return <Refusal problem={{ ...message, next_step: message.next_step ?? "" }} />;
  return (
    <div class="message info" role="status" data-testid="message" data-code={message.code}>
      <Check />
      <p>
        <strong>{message.sentence}</strong> <span>{message.next_step}</span>
      </p>
    </div>
  );
}

/** Everything that an ambiguous code may mean; a digit chooses. */
export function Choices({ choices, intend }: { choices: Choice[]; intend: Intend }) {
  const { say } = useTexts();
  if (choices.length === 0) return null;
  return (
    <section class="choices" aria-label={say("till.choices")}>
      <p role="status">{say("till.choices")}</p>
      <ol>
        {choices.map(({ number, label }) => (
          <li key={number}>
            <button
              type="button"
              class="button quiet"
              data-testid={`choice-${number}`}
              onClick={() => void intend("choose", { number })}
            >
              <kbd>{number}</kbd>
              <span>{label}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
