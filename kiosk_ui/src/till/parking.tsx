import type { ParkedView, Till } from "../shared/snapshots";
import type { Intend } from "./intents";
import { Panel } from "./panel";
import { useTexts } from "./texts";

/** Baskets that wait, the longest waiting first: a digit takes one up, what lies there now waits in its place. */
export function ParkedPanel({ till, intend, close }: { till: Till; intend: Intend; close: () => void }) {
  const { say } = useTexts();
  const parked = till.parked ?? [];
  return (
    <Panel title={say("till.parked.title")} name="parked" close={close}>
      {parked.length === 0 && <p class="empty">{say("till.parked.none")}</p>}
      <ol class="coupon-list">
        {parked.map((one) => (
          <Parked key={one.number} one={one} recall={() => void intend("recall", { number: one.number })} />
        ))}
      </ol>
    </Panel>
  );
}

function Parked({ one, recall }: { one: ParkedView; recall: () => void }) {
  const { say, number } = useTexts();
  return (
    <li>
      <button type="button" class="coupon" data-testid={`parked-${one.number}`} onClick={recall}>
        <kbd>{one.number}</kbd>
        <span class="coupon-title">
          {one.at} · {one.member || say("till.parked.guest")}
          <small>{say("till.parked.by", { name: one.staff, articles: number(one.articles) })}</small>
        </span>
        <strong>{one.due}</strong>
      </button>
    </li>
  );
}
