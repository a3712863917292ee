import { Check, Help, Person } from "../shared/icons";
import type { Till } from "../shared/snapshots";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

/** What the kiosk asks the till for: somebody to come, and a code to be told to whoever shows that phone. */
export function KioskCalls({ till, intend }: { till: Till; intend: Intend }) {
  const { say } = useTexts();
  const waits = till.help === "called" || till.help === "busy";
  return (
    <>
      {till.phone_codes?.map(({ phone, code }) => (
        <p key={phone} class="attention-line" role="status" data-testid="phone-code">
          <Person />
          <span>
            {say("till.phone_code", { phone })} <strong class="phone-code">{code}</strong>
          </span>
        </p>
      ))}
      {waits && (
        <div class="attention-line" data-testid="help" data-state={till.help}>
          <Help />
          <p role="status">{say("till.help.called")}</p>
          <button type="button" class="button primary" data-testid="help-come" onClick={() => void intend("help")}>
            <Check />
            <span>{say("till.help.come")}</span>
            <kbd>F11</kbd>
          </button>
        </div>
      )}
    </>
  );
}
