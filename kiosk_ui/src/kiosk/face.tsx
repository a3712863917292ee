import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Feed } from "../shared/live";
import { useRefusal } from "../shared/refusals";
import type { Kiosk } from "../shared/snapshots";
import { Watermark } from "../shared/watermark";
import { Footer } from "./footer";
import { send } from "./intents";
import { listenToKeys } from "./keys";
import { Languages } from "./languages";
import { NoFeed } from "./no_feed";
import { Screen } from "./screen";
import { StillHere } from "./still_here";
import { TextsContext, texts } from "./texts";

export type KioskScreen = Kiosk["screen"];

const WITH_SESSION: ReadonlySet<KioskScreen["screen"]> = new Set([
  "balance",
  "rewards",
  "coupons",
  "history",
  "confirm",
  "done",
  "trouble",
]);

/** Draws the newest snapshot. What a page adds of its own: larger text, a refusal, the page of a list. */
export function KioskFace({ feed }: { feed: Feed<Kiosk> }) {
  const kiosk = feed.snapshot.value;
  return kiosk === null ? <NoFeed /> : <Session kiosk={kiosk} version={feed.version()} />;
}

function Session({ kiosk, version }: { kiosk: Kiosk; version: number }) {
  const { screen, language } = kiosk;
  const inSession = WITH_SESSION.has(screen.screen);
  const [large, setLarge] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const [refusal, setRefusal] = useRefusal(version, JSON.stringify([screen.screen, "member" in screen && screen.member]));
  const main = useRef<HTMLElement>(null);

  function intend(path: string, body?: object): void {
    setRefusal(null);
    void send(path, body).then(setRefusal);
  }

  function toggleLarge(): void {
    setLarge(!large);
    if (inSession) intend("stay");
  }

  function chooseLanguage(): void {
    setChoosing(true);
    if (inSession) intend("stay");
  }

  function leave(): void {
    if (choosing) setChoosing(false);
    else if (inSession) intend("finish");
  }

  const stillHere = kiosk.still_here_s !== null;
  useEffect(() => listenToKeys(main.current, leave), [inSession, choosing]);
  useEffect(() => (inSession ? () => setLarge(false) : undefined), [inSession]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useLayoutEffect(() => {
    document.documentElement.toggleAttribute("data-large", large);
  }, [large]);
  useEffect(() => {
    setChoosing(false);
    main.current?.querySelector<HTMLElement>("h1")?.focus();
  }, [screen.screen]);

  return (
    <TextsContext.Provider value={texts[language]}>
      <div class="kiosk" data-screen={screen.screen}>
        {kiosk.simulated && <Watermark words={texts[language].say("shared.simulated")} />}
        <main ref={main} class="screen" inert={choosing || stillHere}>
          <Screen kiosk={kiosk} intend={intend} />
          <Footer
            kiosk={kiosk}
            inSession={inSession}
            large={large}
            toggleLarge={toggleLarge}
            chooseLanguage={chooseLanguage}
            intend={intend}
          />
        </main>
        <p class="refusal" role="alert" data-testid="refusal" hidden={refusal === null}>
          {refusal && `${refusal.sentence} ${refusal.next_step}`}
        </p>
        {choosing && !stillHere && (
          <Languages kiosk={kiosk} intend={intend} close={() => setChoosing(false)} />
        )}
        {kiosk.still_here_s !== null && <StillHere seconds={kiosk.still_here_s} intend={intend} />}
      </div>
    </TextsContext.Provider>
  );
}
