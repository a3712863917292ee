import { useEffect, useState } from "preact/hooks";

import type { Intend } from "./intents";

interface Pages<Item> {
  /** From 0. */
  page: number;
  pages: number;
  shown: Item[];
  turn: (to: number) => void;
}

const SMALL = "(orientation: landscape) and (height < 600px)";

/** The panel of 800×480, or a window that is no higher. */
export function isSmall(): boolean {
  return matchMedia(SMALL).matches;
}

/** Draws again when the window becomes a small one, or is none any more. */
function useSizes(): void {
  const [, redraw] = useState({});
  useEffect(() => {
    const media = matchMedia(SMALL);
    const again = () => redraw({});
    media.addEventListener("change", again);
    return () => media.removeEventListener("change", again);
  }, []);
}

/** How many fit without scrolling, larger text included; the list turns pages instead. */
export function itemsPerPage(): number {
  return isSmall() ? 2 : 3;
}

/** Cuts a list into pages; turning one keeps the session alive. */
export function usePages<Item>(items: Item[], perPage: number, intend: Intend): Pages<Item> {
  useSizes();
  const [wanted, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(items.length / perPage));
  const page = Math.min(wanted, pages - 1);

  function turn(to: number): void {
    setPage(to);
    intend("stay");
  }

  return { page, pages, shown: items.slice(page * perPage, (page + 1) * perPage), turn };
}
