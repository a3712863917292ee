import { useEffect } from "preact/hooks";

import { useCell } from "../shared/cell";
import { Check, Clock } from "../shared/icons";
import { InAll } from "../shared/in_all";
import type { Feed } from "../shared/live";
import type { Display, DisplayLine, PaidSale } from "../shared/snapshots";
import { Watermark } from "../shared/watermark";
import { TextsContext, texts, useTexts } from "./texts";

/** Lines that fit the screen; the newest stay. */
const SHOWN_LINES = 6;

/** What the customer sees beside the till: nothing of it can be touched. */
export function DisplayFace({ feed }: { feed: Feed<Display> }) {
  const display = useCell(feed.snapshot);
  const language = display?.language;
  useEffect(() => {
    if (language) document.documentElement.lang = language;
  }, [language]);
  if (display === null) {
    return (
      <main class="display quiet" data-screen="lost">
        <Clock />
        <p class="quiet-title">
          <InAll texts={texts} id="display.lost" />
        </p>
      </main>
    );
  }
  return (
    <TextsContext.Provider value={texts[display.language]}>
      {display.simulated && <Watermark words={texts[display.language].say("shared.simulated")} />}
      {display.paid ? (
        <Thanks paid={display.paid} />
      ) : display.lines.length > 0 || display.member !== null ? (
        <Basket display={display} />
      ) : (
        <Welcome shop={display.shop} />
      )}
    </TextsContext.Provider>
  );
}

function Welcome({ shop }: { shop: string }) {
  const { say } = useTexts();
  return (
    <main class="display quiet" data-screen="idle">
      <p class="quiet-shop">{shop}</p>
      <h1 class="quiet-title">{say("display.welcome")}</h1>
      <p class="quiet-next">{say("display.tap")}</p>
    </main>
  );
}

function Basket({ display }: { display: Display }) {
  const { say, number } = useTexts();
  const { member, saved, hint } = display;
  const earn = display.earn_points;
  return (
    <main class="display basket" data-screen="sale">
      <ol class="lines" data-testid="display-lines">
        {display.lines.slice(-SHOWN_LINES).map((line, place) => (
          <Line key={display.lines.length - place} line={line} />
        ))}
      </ol>
      <section class="sums">
        {member !== null && (
          <p class="who" data-testid="display-member">
            {say("display.member", { name: member })}
          </p>
        )}
        {hint && <p class="hint">{hint}</p>}
        <p class="due-label">{say("display.due")}</p>
        <p class="due" data-testid="display-due">
          {display.due}
        </p>
        {saved && <p class="saved">{say("display.saved", { amount: saved.replace(/^[-−]/, "") })}</p>}
        {earn > 0 && <p class="earn">{say("display.earn", { points: number(earn) })}</p>}
      </section>
    </main>
  );
}

function Line({ line }: { line: DisplayLine }) {
  return (
    <li class="line">
      <span class="line-name">{line.name}</span>
      <span class="line-count">× {line.quantity}</span>
      <span class="line-total">
        {line.gross && <s>{line.gross}</s>} {line.total}
      </span>
    </li>
  );
}

function Thanks({ paid }: { paid: PaidSale }) {
  const { say, number } = useTexts();
  return (
    <main class="display quiet thanks" data-screen="paid">
      <div>
        <h1 class="quiet-title">
          <Check /> {say("display.paid")}
        </h1>
        <p class="due" data-testid="display-paid">
          {say("display.paid_total", { amount: paid.total })}
        </p>
        {paid.change && <p class="quiet-next">{say("display.change", { amount: paid.change })}</p>}
        {paid.earned_points > 0 && (
          <p class="earn">{say("display.earned", { points: number(paid.earned_points) })}</p>
        )}
      </div>
      <figure class="receipt">
        <img
          src={`data:image/svg+xml,${encodeURIComponent(paid.receipt_svg)}`}
          alt={say("display.receipt")}
          data-testid="display-receipt"
        />
        <figcaption>{say("display.receipt")}</figcaption>
      </figure>
    </main>
  );
}
