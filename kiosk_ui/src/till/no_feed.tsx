import { useEffect, useState } from "preact/hooks";

import { Clock, Warning } from "../shared/icons";
import { InAll } from "../shared/in_all";
import { texts, useTexts } from "./texts";

const QUIET_S = 2;

/** Returns true once the daemon has been out of reach for longer than a restart of its socket takes. */
export function useLost(connected: boolean): boolean {
  const [lost, setLost] = useState(false);
  useEffect(() => {
    if (connected) {
      setLost(false);
      return undefined;
    }
    const timer = setTimeout(() => setLost(true), QUIET_S * 1000);
    return () => clearTimeout(timer);
  }, [connected]);
  return lost;
}

/** Stands above what was last known; nothing can be done until the daemon is back. */
export function Lost() {
  const { say } = useTexts();
  return (
    <p class="lost" role="alert" data-testid="lost">
      <Warning />
      <span>
        {say("till.lost.title")} {say("till.lost.next")}
      </span>
    </p>
  );
}

/** Before the first snapshot, in every language since none is named yet. */
export function Starting() {
  return (
    <main class="starting" data-screen="starting">
      <Clock />
      <p><InAll texts={texts} id="till.starting" /></p>
    </main>
  );
}
