const FORWARD = new Set(["ArrowDown", "ArrowRight"]);
const BACKWARD = new Set(["ArrowUp", "ArrowLeft"]);

/** Makes a bare keypad enough: arrows move between actions, Enter acts once per press, Esc finishes, * says it again. */
export function listenToKeys(main: HTMLElement | null, finish: () => void, sayAgain: () => void): () => void {
  function onKey(event: KeyboardEvent): void {
    if (event.repeat) {
      event.preventDefault();
    } else if (event.key === "Escape") {
      finish();
    } else if (event.key === "*") {
      sayAgain();
    } else if (FORWARD.has(event.key) || BACKWARD.has(event.key)) {
      event.preventDefault();
      moveFocus(main, FORWARD.has(event.key) ? 1 : -1);
    }
  }
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

function moveFocus(main: HTMLElement | null, step: 1 | -1): void {
  const dialog = document.querySelector("[aria-modal]");
  const actions = [...((dialog ?? main)?.querySelectorAll<HTMLElement>("button:not([disabled])") ?? [])];
  if (actions.length === 0) return;
  const at = actions.findIndex((action) => action === document.activeElement);
  const next = at === -1 ? (step === 1 ? 0 : actions.length - 1) : at + step;
  actions[(next + actions.length) % actions.length]?.focus();
}
