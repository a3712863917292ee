import { Back, Chevron } from "../shared/icons";
import { pressed } from "../shared/press";
import { useTexts } from "./texts";

interface Props {
  page: number;
  pages: number;
  turn: (to: number) => void;
  back: () => void;
}

/** Back, and the pages of a list: nothing scrolls on a kiosk. */
export function Pager({ page, pages, turn, back }: Props) {
  const { say } = useTexts();
  return (
    <nav class="pager" aria-label={say("kiosk.rewards.pages")}>
      <button type="button" class="button quiet pager-back" data-testid="back" onClick={pressed(back)}>
        <Back />
        <span>{say("kiosk.action.back")}</span>
      </button>
      {pages > 1 && (
        <>
          <button
            type="button"
            class="button quiet"
            data-testid="previous-page"
            aria-label={say("kiosk.rewards.previous")}
            disabled={page === 0}
            onClick={pressed(() => turn(page - 1))}
          >
            <Back />
          </button>
          <span class="page-number" role="status">
            {say("kiosk.rewards.page", { page: page + 1, pages })}
          </span>
          <button
            type="button"
            class="button quiet"
            data-testid="next-page"
            aria-label={say("kiosk.rewards.next")}
            disabled={page === pages - 1}
            onClick={pressed(() => turn(page + 1))}
          >
            <Chevron />
          </button>
        </>
      )}
    </nav>
  );
}
