import { pressed } from "../shared/press";
import type { Questions } from "../shared/snapshots";
import type { Intend } from "./intents";
import { Pager } from "./pager";
import { isSmall, usePages } from "./pages";
import { useTexts } from "./texts";

/** One question of a survey or quiz; a touch answers it. */
export function QuestionsScreen({ screen, intend }: { screen: Questions; intend: Intend }) {
  const { say, number } = useTexts();
  const perPage = isSmall() ? 4 : 6;
  const { page, pages, shown, turn } = usePages(screen.answers, perPage, intend);
  return (
    <>
      <section class="reading">
        <p class="notes" data-testid="question-number">
          {say("kiosk.questions.number", {
            name: screen.name,
            number: number(screen.number),
            of: number(screen.of),
          })}
        </p>
        <h1 class="question" tabIndex={-1} data-testid="question">
          {screen.question}
        </h1>
      </section>
      <section class="acting list">
        <ul class="rewards answers" data-testid="answers">
          {shown.map((answer, place) => (
            <li key={answer}>
              <button
                type="button"
                class="reward answer"
                data-testid={`answer-${page * perPage + place}`}
                onClick={pressed(() => intend("answer", { number: page * perPage + place }))}
              >
                <span class="reward-title">{answer}</span>
              </button>
            </li>
          ))}
        </ul>
        <Pager page={page} pages={pages} turn={turn} back={() => intend("back")} />
      </section>
    </>
  );
}
