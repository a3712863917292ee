import { useEffect, useState } from "preact/hooks";

import { useCell } from "../shared/cell";
import type { Feed } from "../shared/live";
import type { Console, Problem } from "../shared/snapshots";
import { Watermark } from "../shared/watermark";
import { DevicePanel } from "./device/panel";
import { Devices } from "./devices";
import { DockLoader } from "./dock/dock";
import { Header } from "./header";
import { sendToConsole, sendToDock } from "./intents";
import { LatencyPanel } from "./latency";
import { Connecting, LostBanner, Refusal, useLasting } from "./notices";
import { Overview } from "./overview";
import { usePlace } from "./place";
import { Prints } from "./prints";
import { SetupPage } from "./setup/page";
import { SyncPanel } from "./sync";
import { TextsContext, texts } from "./texts";

/** A blink of the connection is nobody's business; after this long it is said. */
const QUIET_S = 2;

/** Draws the newest snapshot of the machine. What the page adds of its own: a refusal, and that the feed is lost. */
export function ConsoleFace({ feed }: { feed: Feed<Console> }) {
  const view = useCell(feed.snapshot);
  const lost = useLasting(!useCell(feed.connected), QUIET_S);
  return view === null ? <Connecting shown={lost} /> : <Machine view={view} lost={lost} />;
}

function Machine({ view, lost }: { view: Console; lost: boolean }) {
  const [refusal, setRefusal] = useState<Problem | null>(null);
  const { language } = view;
  const place = usePlace();
  const device = place?.at === "device" ? view.devices.find(({ role }) => role === place.role) : undefined;
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = `${view.shop} · ${texts[language].say("console.title")}`;
  }, [language, view.shop]);

  function through(send: typeof sendToConsole) {
    return (path: string, body?: object): void => {
      setRefusal(null);
      void send(path, body).then(setRefusal);
    };
  }

  const intend = through(sendToConsole);
  return (
    <TextsContext.Provider value={texts[language]}>
      {view.simulated && <Watermark words={texts[language].say("shared.simulated")} />}
      {lost && <LostBanner />}
      <div class="console" data-feed={lost ? "lost" : "live"} inert={lost}>
        <Header view={view} intend={intend} />
        <main class="main">
          <Overview view={view} intend={intend} />
          {view.faces.includes("dock") && <DockLoader intend={through(sendToDock)} />}
          <Devices devices={view.devices} />
          {device && <DevicePanel key={device.role} {...{ view, device, intend }} tell={setRefusal} />}
          {place?.at === "setup" && <SetupPage devices={view.devices} tell={setRefusal} />}
          <div class="columns">
            <Prints prints={view.prints} devices={view.devices} paper={view.paper} intend={intend} />
            <div class="column">
              <SyncPanel sync={view.sync} />
              <LatencyPanel latency={view.latency} />
            </div>
          </div>
        </main>
      </div>
      {refusal && <Refusal problem={refusal} dismiss={() => setRefusal(null)} />}
    </TextsContext.Provider>
  );
}
