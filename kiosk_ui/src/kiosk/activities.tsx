import type { ComponentType } from "preact";

import { Check, Chevron, Gift, Lock, Star, Ticket, Unsure } from "../shared/icons";
import { pressed } from "../shared/press";
import type { Activities, Activity } from "../shared/snapshots";
import type { Intend } from "./intents";
import { MemberLine } from "./member";
import { Pager } from "./pager";
import { itemsPerPage, usePages } from "./pages";
import { useTexts } from "./texts";

const ICONS: Record<Activity["kind"], ComponentType> = {
  check_in: Check,
  lottery: Gift,
  mission: Star,
  survey: Unsure,
  ticket: Ticket,
};

/** Things to do beside rewards, in pages. */
export function ActivitiesScreen({ screen, intend }: { screen: Activities; intend: Intend }) {
  const { say } = useTexts();
  const { page, pages, shown, turn } = usePages(screen.items, itemsPerPage(), intend);
  return (
    <>
      <section class="reading">
        <MemberLine member={screen.member} />
        <p class="question">
          {say(screen.items.length > 0 ? "kiosk.activities.title" : "kiosk.activities.none")}
        </p>
      </section>
      <section class="acting list">
        <ul class="rewards" data-testid="activities-page" data-page={page + 1}>
          {shown.map((item) => (
            <li key={item.id}>
              <ActivityCard item={item} intend={intend} />
            </li>
          ))}
        </ul>
        <Pager page={page} pages={pages} turn={turn} back={() => intend("back")} />
      </section>
    </>
  );
}

/** A button where something can be begun; a mission only says how far it has come. */
function ActivityCard({ item, intend }: { item: Activity; intend: Intend }) {
  const { kind, id } = item;
  const names = { "data-testid": `activity-${id}`, "data-kind": kind };
  if (item.available && kind !== "mission") {
    return (
      <button type="button" class="reward todo" {...names} onClick={pressed(() => intend("activity", { kind, id }))}>
        <Inside item={item} />
        <span class="reward-cost">
          <Chevron />
        </span>
      </button>
    );
  }
  return (
    <div class={item.why_not ? "reward todo unavailable" : "reward todo"} {...names}>
      <Inside item={item} />
    </div>
  );
}

function Inside({ item }: { item: Activity }) {
  const { say, number } = useTexts();
  const Icon = ICONS[item.kind];
  const progress = item.progress_pct;
  return (
    <>
      <span class="reward-title">
        <Icon /> {item.title}
      </span>
      {item.why_not ? (
        <span class="reward-why">
          <Lock />
          <span>{item.why_not}</span>
        </span>
      ) : (
        <span class="reward-why">{item.detail}</span>
      )}
      {progress != null && (
        <span class="progress">
          <progress max={100} value={progress} aria-label={item.title} />
          <span>{say("kiosk.activities.progress", { percent: number(progress) })}</span>
        </span>
      )}
    </>
  );
}
