import { useState } from "preact/hooks";

import type { Intend } from "./intents";

interface Pages<Item> {
  /** From 0. */
  page: number;
  pages: number;
  shown: Item[];
  turn: (to: number) => void;
}

/** How many fit without scrolling, larger text included; the list turns pages instead. */
export function itemsPerPage(): number {
  return matchMedia("(orientation: landscape) and (height < 600px)").matches ? 2 : 3;
}

/** Cuts a list into pages; turning one keeps the session alive. */
export function usePages<Item>(items: Item[], perPage: number, intend: Intend): Pages<Item> {
  const [wanted, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(items.length / perPage));
  const page = Math.min(wanted, pages - 1);

  function turn(to: number): void {
    setPage(to);
    intend("stay");
  }

  return { page, pages, shown: items.slice(page * perPage, (page + 1) * perPage), turn };
}
