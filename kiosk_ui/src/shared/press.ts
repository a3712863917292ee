/** After a press nothing else can be pressed for this long: a trembling hand must not press what appears next. */
export const SETTLE_MS = 400;

let settledAt = 0;

/**
 * Wraps an action so that it runs on release and at most once per settling time, page-wide.
 *
 * While settling, the root carries `data-settling`; the style sheet takes the pointer away from every button.
 */
export function pressed(act: () => void): (event: Event) => void {
  return (event) => {
    if (event.timeStamp < settledAt) return;
    settledAt = event.timeStamp + SETTLE_MS;
    const root = document.documentElement;
    root.toggleAttribute("data-settling", true);
    setTimeout(() => root.toggleAttribute("data-settling", performance.now() < settledAt), SETTLE_MS + 1);
    act();
  };
}
