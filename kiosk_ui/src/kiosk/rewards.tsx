import { useState } from "preact/hooks";

import { Back, Chevron } from "../shared/icons";
import { pressed } from "../shared/press";
import type { Rewards } from "../shared/snapshots";
import type { Intend } from "./intents";
import { MemberLine, PointsFigure } from "./member";
import { RewardCard } from "./reward_card";
import { useTexts } from "./texts";

/** How many fit without scrolling, larger text included; the list turns pages instead. */
function rewardsPerPage(): number {
  return matchMedia("(orientation: landscape) and (height < 600px)").matches ? 2 : 3;
}

export function RewardsScreen({ screen, intend }: { screen: Rewards; intend: Intend }) {
  const { say } = useTexts();
  const [wanted, setPage] = useState(0);
  const perPage = rewardsPerPage();
  const pages = Math.max(1, Math.ceil(screen.rewards.length / perPage));
  const page = Math.min(wanted, pages - 1);

  function turn(to: number): void {
    setPage(to);
    intend("stay");
  }

  return (
    <>
      <section class="reading">
        <MemberLine member={screen.member} />
        <PointsFigure points={screen.points} />
      </section>
      <section class="acting list" aria-labelledby="rewards-title">
        <h2 id="rewards-title" class="acting-title">
          {say("kiosk.rewards.title")}
        </h2>
        <ul class="rewards" data-testid="rewards-page" data-page={page + 1}>
          {screen.rewards.slice(page * perPage, (page + 1) * perPage).map((reward) => (
            <RewardCard key={reward.id} reward={reward} intend={intend} />
          ))}
        </ul>
        <nav class="pager" aria-label={say("kiosk.rewards.pages")}>
          <button type="button" class="button quiet pager-back" data-testid="back" onClick={pressed(() => intend("back"))}>
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
      </section>
    </>
  );
}
