import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Balance } from "../shared/snapshots";
import { BalanceScreen } from "./balance";

const ROUNDS = 4;

const NOBODY: Balance = {
  screen: "balance",
  member: { name: "王李张刘陈**", tier: "金银普通会员 Gold", trust: 0 },
  points: 1234567890,
  expiring: { points: 1234567890, last_day: "2000-12-31" },
  next_tier: { name: "金银普通会员 Gold", missing: "¥1,234,567,890.00" },
  more_rewards: true,
  given: ["生日快乐 +100 积分 Happy birthday"],
  ways_up: [],
  coupons: 12,
  best_coupons: [{ title: "满100减20 ¥20 off", last_day: "2000-12-31" }],
  activities: 3,
  rewards: [
    { id: "warm-up-1", title: "保温杯咖啡券 Mug", cost_points: 1234567890, available: true },
    { id: "warm-up-2", title: "保温杯咖啡券 Mug", cost_points: 1234567890, available: false, why_not: "还差 640 积分" },
  ],
};

/**
 * Draws a balance of nobody outside the view, so that code, number formats and glyphs are warm at the first tap.
 *
 * It is taken away after a few frames: a tap finds nothing of it to remove.
 */
export function WarmUp() {
  const [round, setRound] = useState(0);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (round >= ROUNDS) return undefined;
    const frame = requestAnimationFrame(() => setRound(round + 1));
    return () => cancelAnimationFrame(frame);
  }, [round]);
  useLayoutEffect(() => {
    // Names that only the real balance may answer to.
    for (const name of ["data-testid", "id"]) {
      root.current?.querySelectorAll(`[${name}]`).forEach((element) => element.removeAttribute(name));
    }
  });
  if (round >= ROUNDS) return null;
  return (
    <div ref={root} class="warm-up" aria-hidden="true" inert>
      <BalanceScreen key={round} screen={NOBODY} asOf="00:00" intend={() => undefined} />
    </div>
  );
}
