import type { DeviceView } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { useTexts } from "../texts";
import { ask, type Tell } from "./asking";

/** Try it now, open it anew, switch it off and on. */
export function Controls({ device, intend, tell }: { device: DeviceView; intend: Intend; tell: Tell }) {
  const { say } = useTexts();
  const { role } = device;
  const disabled = device.link === "disabled";

  function act(what: "reopen" | "enable", body: object): void {
    tell(null);
    void ask(`devices/${role}/${what}`, body).then(({ problem }) => problem && tell(problem));
  }

  return (
    <p class="buttons">
      {!disabled && (
        <>
          <button type="button" class="button" data-testid="look-now" onClick={() => intend("wake", { role })}>
            {say("console.control.wake")}
          </button>
          <button type="button" class="button" data-testid="reopen" onClick={() => act("reopen", {})}>
            {say("console.control.reopen")}
          </button>
        </>
      )}
      <button
        type="button"
        class={disabled ? "button primary" : "button"}
        data-testid="enable"
        onClick={() => act("enable", { enabled: disabled })}
      >
        {say(disabled ? "console.control.enable" : "console.control.disable")}
      </button>
    </p>
  );
}
