import { useEffect, useState } from "preact/hooks";

import { useCell } from "../shared/cell";
import type { Feed } from "../shared/live";
import { useRefusal } from "../shared/refusals";
import type { Till } from "../shared/snapshots";
import { Watermark } from "../shared/watermark";
import { type Intend, send, useOnce } from "./intents";
import { Lost, Starting, useLost } from "./no_feed";
import { Serving } from "./serving";
import { SetUp } from "./set_up";
import { SignIn } from "./sign_in";
import { TextsContext, texts } from "./texts";
import { TopBar } from "./top_bar";

/** Draws the newest snapshot. What the page adds of its own: a refusal, the selected line, the open pay panel. */
export function TillFace({ feed }: { feed: Feed<Till> }) {
  const till = useCell(feed.snapshot);
  const lost = useLost(useCell(feed.connected));
  return till === null ? <Starting /> : <Session till={till} version={feed.version()} lost={lost} />;
}

function Session({ till, version, lost }: { till: Till; version: number; lost: boolean }) {
  const { language } = till;
  const [foreign, setForeign] = useState(false);
  const basketNow = JSON.stringify([
    till.lines,
    till.member,
    till.choices,
    till.message,
    till.coupons,
    till.totals,
    till.returning,
  ]);
  const [refusal, setRefusal] = useRefusal(version, basketNow);

  const intend: Intend = async (path, body) => {
    setRefusal(null);
    const problem = await send(path, body);
    if (problem?.code === "SIGN_IN_FIRST") setForeign(true);
    setRefusal(problem);
    return problem === null;
  };

  const once = useOnce(intend);

  async function enter(path: string, body: object): Promise<boolean> {
    const entered = await intend(path, body);
    if (entered) setForeign(false);
    return entered;
  }

  function signOut(): void {
    void intend("sign-out").then((left) => left && setForeign(true));
  }

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  // Somebody else may be signed in at this till, in another browser: this one still has to sign in.
  const served = till.staff !== null && !foreign;
  return (
    <TextsContext.Provider value={texts[language]}>
      <div class="till" data-screen={till.staff_known.length === 0 ? "set-up" : served ? "basket" : "sign-in"}>
        {till.simulated && <Watermark words={texts[language].say("shared.simulated")} />}
        {lost && <Lost />}
        <TopBar till={till} served={served} intend={intend} signOut={signOut} />
        {till.staff_known.length === 0 ? (
          <SetUp refusal={refusal} enter={enter} />
        ) : served ? (
          <Serving till={till} refusal={refusal} dismiss={() => setRefusal(null)} intend={once} signOut={signOut} />
        ) : (
          <SignIn people={till.staff_known} refusal={refusal} enter={enter} />
        )}
      </div>
    </TextsContext.Provider>
  );
}
