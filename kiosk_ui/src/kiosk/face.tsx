import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { useCell } from "../shared/cell";
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
import { play, soundOf } from "./sounds";
import { spokenText } from "./speech";
import { StillHere } from "./still_here";
import { TextsContext, texts, useLanguage } from "./texts";

/** Draws the newest snapshot. What a page adds of its own: a refusal, the page of a list, a half-typed number. */
export function KioskFace({ feed }: { feed: Feed<Kiosk> }) {
  const kiosk = useCell(feed.snapshot);
  const spoken = useLanguage(kiosk?.language);
  return kiosk === null || !spoken ? <NoFeed /> : <Session key={kiosk.visit} kiosk={kiosk} version={feed.version()} />;
}

/** Screens that somebody without a session can go back from. */
const LEFT_BY_BACK: ReadonlySet<string> = new Set(["help", "faq", "feedback", "join"]);

/** Names what is shown, so that another screen can be told from the same one with other numbers. */
function placeOf(screen: Kiosk["screen"]): string {
  const step = "step" in screen ? screen.step : "number" in screen ? screen.number : "";
  const after = ("score" in screen && screen.score !== null) || ("drawn" in screen && screen.drawn !== null);
  return [screen.screen, step, after].join();
}

function Session({ kiosk, version }: { kiosk: Kiosk; version: number }) {
  const { screen, language, comfort = {}, in_session: inSession = false } = kiosk;
  const place = placeOf(screen);
  const stillHere = kiosk.still_here_s !== null;
  const [choosing, setChoosing] = useState(false);
  const [refusal, setRefusal] = useRefusal(version, JSON.stringify([place, "member" in screen && screen.member]));
  const face = useRef<HTMLDivElement>(null);
  const main = useRef<HTMLElement>(null);

  function intend(path: string, body?: object): void {
    setRefusal(null);
    void send(path, body).then(setRefusal);
  }

  function chooseLanguage(): void {
    setChoosing(true);
    if (inSession) intend("stay");
  }

  function leave(): void {
    if (choosing) setChoosing(false);
    else if (inSession) intend("finish");
    else if (LEFT_BY_BACK.has(screen.screen)) intend("back");
  }

  function speak(): void {
    if (face.current && kiosk.speaks) void send("speak", { text: spokenText(face.current) });
  }

  useEffect(() => listenToKeys(main.current, leave, speak), [inSession, choosing, kiosk.speaks, screen.screen]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useLayoutEffect(() => {
    document.documentElement.toggleAttribute("data-large", comfort.large === true);
    document.documentElement.toggleAttribute("data-contrast", comfort.contrast === true);
  }, [comfort.large, comfort.contrast]);
  useEffect(() => {
    setChoosing(false);
    main.current?.querySelector<HTMLElement>("h1")?.focus();
  }, [place]);
  useEffect(() => {
    if (comfort.speech) speak();
  }, [place, language, stillHere, refusal?.code, comfort.speech]);
  useSounds(screen, place, stillHere, refusal !== null);

  return (
    <TextsContext.Provider value={texts[language]}>
      <div ref={face} class="kiosk" data-screen={screen.screen}>
        {kiosk.simulated && <Watermark words={texts[language].say("shared.simulated")} />}
        <p class="refusal" role="alert" data-testid="refusal" hidden={refusal === null}>
          {refusal && `${refusal.sentence} ${refusal.next_step}`}
        </p>
        <main ref={main} class="screen" inert={choosing || stillHere}>
          <Screen kiosk={kiosk} intend={intend} />
          <Footer kiosk={kiosk} chooseLanguage={chooseLanguage} intend={intend} />
        </main>
        {choosing && !stillHere && (
          <Languages kiosk={kiosk} intend={intend} close={() => setChoosing(false)} />
        )}
        {kiosk.still_here_s !== null && <StillHere seconds={kiosk.still_here_s} intend={intend} />}
      </div>
    </TextsContext.Provider>
  );
}

/** Each sound goes with something that changed on the screen. */
function useSounds(screen: Kiosk["screen"], place: string, stillHere: boolean, refused: boolean): void {
  const before = useRef<Kiosk["screen"]["screen"] | null>(null);
  useEffect(() => {
    const sound = before.current === null ? null : soundOf(screen, before.current);
    before.current = screen.screen;
    if (sound) void play(sound);
  }, [place]);
  useEffect(() => {
    if (stillHere) void play("warning");
  }, [stillHere]);
  useEffect(() => {
    if (refused) void play("try-again");
  }, [refused]);
}
