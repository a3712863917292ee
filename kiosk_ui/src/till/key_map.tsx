import { type MessageId, useTexts } from "./texts";

const AT_BASKET: [string, MessageId][] = [
  ["Enter", "till.keys.enter"],
  ["3*", "till.keys.times"],
  ["↑ ↓", "till.keys.select"],
  ["+ −", "till.keys.quantity"],
  ["Del", "till.keys.void"],
  ["F2", "till.keys.member_off"],
  ["F3", "till.keys.join"],
  ["F12", "till.keys.pay"],
  ["F12 F12", "till.keys.exact"],
  ["F10", "till.keys.sign_out"],
  ["Esc", "till.keys.back"],
];
const WHILE_PAYING: [string, MessageId][] = [
  ["Enter", "till.keys.take_cash"],
  ["F12", "till.keys.exact"],
  ["F6", "till.keys.card"],
  ["F7", "till.keys.mobile"],
  ["Esc", "till.keys.back"],
];

/** The keys that mean something now. */
export function KeyMap({ paying }: { paying: boolean }) {
  const { say } = useTexts();
  return (
    <footer class="key-map">
      <ul aria-label={say("till.keys.title")}>
        {(paying ? WHILE_PAYING : AT_BASKET).map(([keys, words]) => (
          <li key={keys}>
            <kbd>{keys}</kbd> {say(words)}
          </li>
        ))}
      </ul>
    </footer>
  );
}
