/** After a press nothing else can be pressed for this long: a trembling hand must not press what appears next. */
export const SETTLE_MS = 400;
/** One key of a numpad counts again after this long; another key counts at once. */
const BOUNCE_MS = 200;

let settledAt = 0;
let lastKey = "";
let lastKeyAt = 0;

/**
 * Wraps an action so that it runs on release and at most once per settling time, page-wide.
 *
 * While settling, the root carries `data-settling`; the style sheet takes the pointer away from every button.
 */
export function pressed(act: () => void): (event: Event) => void {
  return (event) => {
    if (event.timeStamp < settledAt) return;
    settle(event.timeStamp);
    act();
  };
}

/** Takes the pointer away from every button for a settling time, from the time stamp of an event on. */
export function settle(from: number): void {
  settledAt = from + SETTLE_MS;
  const root = document.documentElement;
  root.toggleAttribute("data-settling", true);
  setTimeout(() => root.toggleAttribute("data-settling", performance.now() < settledAt), SETTLE_MS + 1);
}

/** Wraps a key of a numpad: numbers are typed faster than a page settles, only a bouncing finger is held back. */
export function typed(key: string, act: () => void): (event: Event) => void {
  return (event) => {
    const bounced = key === lastKey && event.timeStamp < lastKeyAt + BOUNCE_MS;
    if (event.timeStamp < settledAt || bounced) return;
    lastKey = key;
    lastKeyAt = event.timeStamp;
    act();
  };
}
