import type { PanelName } from "./keys";
import { type MessageId, useTexts } from "./texts";

type Keys = [string, MessageId][];

const AT_BASKET: Keys = [
  ["Enter", "till.keys.enter"],
  ["3*", "till.keys.times"],
  ["↑↓", "till.keys.select"],
  ["+−", "till.keys.quantity"],
  ["→", "till.keys.details"],
  ["Del", "till.keys.void"],
  ["F1", "till.keys.shift"],
  ["F2", "till.keys.member_off"],
  ["F3", "till.keys.coupons"],
  ["F4", "till.keys.points"],
  ["F5", "till.keys.value"],
  ["F6", "till.keys.park"],
  ["F7", "till.keys.recall"],
  ["F8", "till.keys.returns"],
  ["F9", "till.keys.why"],
  ["F12", "till.keys.pay"],
  ["Ctrl Z", "till.keys.undo"],
  ["F10", "till.keys.sign_out"],
];
const WHILE_DOUBTFUL: Keys = [
  ["PgUp", "till.keys.came_out"],
  ["PgDn", "till.keys.not_out"],
];
const WHILE_PAYING: Keys = [
  ["Enter", "till.keys.take_cash"],
  ["F12", "till.keys.exact"],
  ["F6", "till.keys.card"],
  ["F7", "till.keys.mobile"],
  ["Esc", "till.keys.back"],
];
const WHILE_RETURNING: Keys = [
  ["Enter", "till.keys.receipt"],
  ["↑↓", "till.keys.select"],
  ["+−", "till.keys.quantity"],
  ["F2", "till.keys.all"],
  ["F3", "till.keys.void_sale"],
  ["F6", "till.keys.shop_fault"],
  ["F7", "till.keys.reason"],
  ["F12", "till.keys.take_back"],
  ["Esc", "till.keys.back"],
];
const IN_PANEL: Record<PanelName, Keys> = {
  coupons: [
    ["1–9", "till.keys.coupon"],
    ["0", "till.keys.best"],
    ["↑↓", "till.keys.scroll"],
    ["F12", "till.keys.pay"],
    ["Esc", "till.keys.back"],
  ],
  points: [
    ["Enter", "till.keys.use"],
    ["F4", "till.keys.all"],
    ["Esc", "till.keys.back"],
  ],
  value: [
    ["Enter", "till.keys.use"],
    ["F5", "till.keys.all"],
    ["F6", "till.keys.top_up"],
    ["Esc", "till.keys.back"],
  ],
  "top-up": [
    ["Enter", "till.keys.take_cash"],
    ["F6", "till.keys.card"],
    ["F7", "till.keys.mobile"],
    ["Esc", "till.keys.back"],
  ],
  why: [
    ["↑↓", "till.keys.scroll"],
    ["Esc", "till.keys.back"],
  ],
  parked: [
    ["1–9", "till.keys.recall"],
    ["↑↓", "till.keys.scroll"],
    ["Esc", "till.keys.back"],
  ],
  shift: [
    ["Enter", "till.keys.take_amount"],
    ["F2", "till.keys.x_report"],
    ["F3", "till.keys.print"],
    ["↑↓", "till.keys.scroll"],
    ["Esc", "till.keys.back"],
  ],
};

interface Props {
  paying: boolean;
  returning: boolean;
  panel: PanelName | null;
  stranger: boolean;
  doubtful: boolean;
}

/** The keys that mean something now. */
export function KeyMap({ paying, returning, panel, stranger, doubtful }: Props) {
  const { say } = useTexts();
  const atBasket = doubtful ? [...WHILE_DOUBTFUL, ...AT_BASKET] : AT_BASKET;
  const keys = returning ? WHILE_RETURNING : paying ? WHILE_PAYING : panel ? IN_PANEL[panel] : atBasket;
  return (
    <footer class="key-map">
      <ul aria-label={say("till.keys.title")}>
        {keys.map(([key, words]) => (
          <li key={key}>
            <kbd>{key}</kbd> {say(stranger && words === "till.keys.coupons" ? "till.keys.join" : words)}
          </li>
        ))}
      </ul>
    </footer>
  );
}
