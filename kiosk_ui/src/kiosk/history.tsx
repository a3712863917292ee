import { useState } from "preact/hooks";

import { Chevron } from "../shared/icons";
import { pressed } from "../shared/press";
import type { History, HistoryEntry } from "../shared/snapshots";
import type { Intend } from "./intents";
import { MemberLine, PointsFigure } from "./member";
import { Pager } from "./pager";
import { itemsPerPage, usePages } from "./pages";
import { Sheet } from "./sheet";
import { useTexts } from "./texts";

/** What changed the points lately; a touch says why, in the words of the receipt. */
export function HistoryScreen({ screen, intend }: { screen: History; intend: Intend }) {
  const { say, day } = useTexts();
  const { page, pages, shown, turn } = usePages(screen.entries, itemsPerPage(), intend);
  const [asked, ask] = useState<HistoryEntry | null>(null);

  function why(entry: HistoryEntry | null): void {
    ask(entry);
    intend("stay");
  }

  return (
    <>
      <section class="reading">
        <MemberLine member={screen.member} />
        <PointsFigure points={screen.points} />
      </section>
      <section class="acting list" aria-labelledby="history-title">
        <h2 id="history-title" class="acting-title">
          {say(screen.entries.length > 0 ? "kiosk.history.title" : "kiosk.history.none")}
        </h2>
        <ul class="rewards" data-testid="history-page" data-page={page + 1}>
          {shown.map((entry, place) => (
            <Entry key={`${page}-${place}`} entry={entry} why={() => why(entry)} />
          ))}
        </ul>
        <Pager page={page} pages={pages} turn={turn} back={() => intend("back")} />
      </section>
      {asked && (
        <Sheet id="why" label={say("kiosk.history.why")} close={() => why(null)}>
          <h2 class="dialog-text">
            {asked.what} · {day(asked.day)}
          </h2>
          <ul class="why-sentences">
            {asked.why.map((sentence, place) => (
              <li key={place}>{sentence}</li>
            ))}
          </ul>
        </Sheet>
      )}
    </>
  );
}

function Entry({ entry, why }: { entry: HistoryEntry; why: () => void }) {
  const { say, number, day } = useTexts();
  return (
    <li>
      <button type="button" class="reward entry" data-testid="entry" onClick={pressed(why)}>
        <span class="reward-title">
          {entry.what} <small>{day(entry.day)}</small>
        </span>
        {entry.points !== 0 && (
          <span class="reward-cost">
            <strong>
              {entry.points > 0 ? "+" : "−"}
              {number(Math.abs(entry.points))}
            </strong>
          </span>
        )}
        <span class="reward-go">
          <span>{say("kiosk.history.why")}</span>
          <Chevron />
        </span>
      </button>
    </li>
  );
}
