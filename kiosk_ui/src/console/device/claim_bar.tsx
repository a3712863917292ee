import { useState } from "preact/hooks";

import { Check, Lock, Warning } from "../../shared/icons";
import type { DeviceView } from "../../shared/snapshots";
import { type MessageId, useTexts } from "../texts";
import type { Change, Claiming } from "./claiming";

const FACES: Record<string, MessageId> = { kiosk: "console.claim.kiosk", till: "console.claim.till" };

/** Who gets what the device reports, and how to get it for this page. Taking it by force asks once more. */
export function ClaimBar({ device, claiming }: { device: DeviceView; claiming: Claiming }) {
  const { say } = useTexts();
  const [forcing, force] = useState(false);
  const { yours, waiting, ended, change } = claiming;
  const holder = device.holder ?? "";
  const face = FACES[holder];
  const held = !yours && face === undefined && holder !== "";
  const name = face ? say(face) : holder;

  function act(what: Change) {
    return () => {
      force(false);
      change(what);
    };
  }

  return (
    <div class="claim" data-testid="claim" data-yours={yours}>
      <Holder {...{ holder, name, yours, waiting }} />
      {ended !== "" && (
        <p class="trouble" data-testid="claim-ended">
          {say(ended === "lost" ? "console.claim.lost" : "console.claim.refused", { holder: name })}
        </p>
      )}
      {yours && device.asked_by ? <AskedFor who={device.asked_by} act={act} /> : null}
      <p class="buttons">
        {yours ? (
          <button type="button" class="button" data-testid="release" onClick={act("release")}>
            {say("console.claim.release")}
          </button>
        ) : (
          <>
            {!waiting && (
              <button
                type="button"
                class="button primary"
                data-testid={held ? "take-over" : "claim-device"}
                onClick={act(held ? "take-over" : "claim")}
              >
                {say(held ? "console.claim.ask" : "console.claim.begin")}
              </button>
            )}
            <button type="button" class="button" data-testid="override" aria-expanded={forcing} onClick={() => force(!forcing)}>
              {say("console.claim.override")}
            </button>
          </>
        )}
      </p>
      {forcing && !yours && <OverrideWarning holder={name} yes={act("override")} no={() => force(false)} />}
    </div>
  );
}

function Holder({ holder, name, yours, waiting }: { holder: string; name: string; yours: boolean; waiting: boolean }) {
  const { say } = useTexts();
  return (
    <p role="status" class="claim-holder">
      {yours ? <Check /> : <Lock />}
      <span>
        {yours
          ? say("console.claim.yours", { holder })
          : waiting
            ? say("console.claim.waiting", { holder: name })
            : say("console.claim.held_by", { holder: name })}
      </span>
    </p>
  );
}

/** Another page asks for the device: keep it, or give it away. Without an answer it goes. */
function AskedFor({ who, act }: { who: string; act: (what: Change) => () => void }) {
  const { say } = useTexts();
  return (
    <div class="trouble" role="alert" data-testid="asked-for">
      <p>{say("console.claim.asked", { who })}</p>
      <p class="buttons">
        <button type="button" class="button primary" data-testid="refuse" onClick={act("refuse")}>
          {say("console.claim.keep")}
        </button>
        <button type="button" class="button" data-testid="give" onClick={act("release")}>
          {say("console.claim.give")}
        </button>
      </p>
    </div>
  );
}

function OverrideWarning({ holder, yes, no }: { holder: string; yes: () => void; no: () => void }) {
  const { say } = useTexts();
  return (
    <div class="trouble" data-light="red" role="alert" data-testid="override-warning">
      <p>
        <Warning /> {say("console.claim.override_warning", { holder })}
      </p>
      <p class="buttons">
        <button type="button" class="button" data-testid="override-yes" onClick={yes}>
          {say("console.claim.override_yes")}
        </button>
        <button type="button" class="button primary" data-testid="override-no" onClick={no}>
          {say("console.claim.override_no")}
        </button>
      </p>
    </div>
  );
}
