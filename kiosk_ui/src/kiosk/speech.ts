const STOPPED = /[.。!！?？…:：]$/;
const BLOCKS = "h1, h2, p, li, button";
/** What is never said aloud: names, and what stands in words beside its picture. */
const SILENT = "[data-silent], [aria-hidden='true'], footer";

/** Returns what of a screen is read aloud: what stands there and what can be pressed, names left out. */
export function spokenText(root: HTMLElement): string {
  const above = root.querySelector<HTMLElement>("[aria-modal]") ?? root;
  const sentences = new Map<Element, string>();
  const walker = document.createTreeWalker(above, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const holder = node.parentElement;
    if (holder === null || holder.closest(SILENT) !== null || !holder.checkVisibility()) continue;
    const block = holder.closest(BLOCKS) ?? holder;
    sentences.set(block, `${sentences.get(block) ?? ""} ${node.textContent ?? ""}`);
  }
  const stop = document.documentElement.lang === "en" ? "." : "。";
  return [...sentences.values()]
    .map((words) => words.replace(/\s+/g, " ").trim())
    .filter((words) => words !== "")
    .map((words) => (STOPPED.test(words) ? words : words + stop))
    .join(" ");
}
