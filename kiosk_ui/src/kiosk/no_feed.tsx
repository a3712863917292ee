import { useEffect, useState } from "preact/hooks";

import { Clock, Warning } from "../shared/icons";
import { InAll } from "../shared/in_all";
import { Notice } from "./notices";
import { texts } from "./texts";

const QUIET_S = 2;
const PATIENCE_S = 20;

/** Stands while the daemon is out of reach, in every language since no snapshot names one. */
export function NoFeed() {
  const [waited_s, setWaited] = useState(0);
  useEffect(() => {
    for (const comfort of ["data-large", "data-contrast"]) document.documentElement.removeAttribute(comfort);
    const timers = [QUIET_S, PATIENCE_S].map((s) => setTimeout(() => setWaited(s), s * 1000));
    return () => timers.forEach(clearTimeout);
  }, []);
  const lost = waited_s >= PATIENCE_S;
  return (
    <div class="kiosk" data-screen={lost ? "out_of_service" : "starting"} data-feed="lost">
      <main class="screen" hidden={waited_s < QUIET_S}>
        {lost ? (
          <Notice
            icon={Warning}
            tone="attention"
            title={<InAll texts={texts} id="kiosk.lost.title" />}
            next={<InAll texts={texts} id="kiosk.lost.next" />}
          />
        ) : (
          <Notice icon={Clock} title={<InAll texts={texts} id="kiosk.starting.title" />} />
        )}
      </main>
    </div>
  );
}
