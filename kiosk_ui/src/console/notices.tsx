import { useEffect, useState } from "preact/hooks";

import { Clock, Cross, Warning } from "../shared/icons";
import { InAll } from "../shared/in_all";
import type { Problem } from "../shared/snapshots";
import { texts, useTexts } from "./texts";

/** Stands before the first snapshot, in every language since no snapshot names one. */
export function Connecting({ shown }: { shown: boolean }) {
  return (
    <main class="connecting" hidden={!shown} data-testid="connecting">
      <Clock />
      <p><InAll texts={texts} id="console.lost.connecting" /></p>
    </main>
  );
}

export function LostBanner() {
  const { say } = useTexts();
  return (
    <div class="lost" role="alert" data-testid="lost">
      <Warning />
      <p>
        <strong>{say("console.lost.title")}</strong> <span>{say("console.lost.next")}</span>
      </p>
    </div>
  );
}

export function Refusal({ problem, dismiss }: { problem: Problem; dismiss: () => void }) {
  const { say } = useTexts();
  return (
    <div class="refusal" role="alert" data-testid="refusal">
      <p>
        <strong>{problem.sentence}</strong> <span>{problem.next_step}</span>
      </p>
      <button type="button" class="button" aria-label={say("console.refusal.dismiss")} onClick={dismiss}>
        <Cross />
      </button>
    </div>
  );
}

/** Returns true once something has been so for some seconds, and false as soon as it is not. */
export function useLasting(now: boolean, seconds: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!now) {
      setLasting(false);
      return undefined;
    }
    const timer = setTimeout(() => setLasting(true), seconds * 1000);
    return () => clearTimeout(timer);
  }, [now, seconds]);
  return lasting;
}
