import type { Rewards } from "../shared/snapshots";
import type { Intend } from "./intents";
import { MemberLine, PointsFigure } from "./member";
import { Pager } from "./pager";
import { itemsPerPage, usePages } from "./pages";
import { RewardCard } from "./reward_card";
import { useTexts } from "./texts";

export function RewardsScreen({ screen, intend }: { screen: Rewards; intend: Intend }) {
  const { say } = useTexts();
  const { page, pages, shown, turn } = usePages(screen.rewards, itemsPerPage(), intend);
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
          {shown.map((reward) => (
            <RewardCard key={reward.id} reward={reward} intend={intend} />
          ))}
        </ul>
        <Pager page={page} pages={pages} turn={turn} back={() => intend("back")} />
      </section>
    </>
  );
}
