import { useState } from "preact/hooks";

import { Chevron } from "../shared/icons";
import { pressed } from "../shared/press";
import type { Faq, FaqEntry } from "../shared/snapshots";
import type { Intend } from "./intents";
import { Pager } from "./pager";
import { itemsPerPage, usePages } from "./pages";
import { Sheet } from "./sheet";
import { useTexts } from "./texts";

/** Questions that many have; a touch opens the answer. */
export function FaqScreen({ screen, intend }: { screen: Faq; intend: Intend }) {
  const { say } = useTexts();
  const { page, pages, shown, turn } = usePages(screen.entries, itemsPerPage(), intend);
  const [asked, ask] = useState<FaqEntry | null>(null);

  function open(entry: FaqEntry | null): void {
    ask(entry);
    intend("stay");
  }

  return (
    <>
      <section class="reading">
        <h1 class="question" tabIndex={-1}>
          {say("kiosk.faq.title")}
        </h1>
      </section>
      <section class="acting list">
        <ul class="rewards" data-testid="faq-page" data-page={page + 1}>
          {shown.map((entry, place) => (
            <li key={`${page}-${place}`}>
              <button type="button" class="reward todo" data-testid="faq-entry" onClick={pressed(() => open(entry))}>
                <span class="reward-title">{entry.question}</span>
                <span class="reward-cost">
                  <Chevron />
                </span>
              </button>
            </li>
          ))}
        </ul>
        <Pager page={page} pages={pages} turn={turn} back={() => intend("back")} />
      </section>
      {asked && (
        <Sheet id="answer" label={asked.question} close={() => open(null)}>
          <h2 class="dialog-title">{asked.question}</h2>
          <p class="why-sentences" data-testid="faq-answer">
            {asked.answer}
          </p>
        </Sheet>
      )}
    </>
  );
}
