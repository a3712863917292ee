import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { type Action, actionFor, type Place, withControl } from "./keys";

interface Where extends Omit<Place, "field" | "empty"> {
  box: RefObject<HTMLInputElement | null>;
}

/** Keeps the box ready for typing and turns keys into actions, whatever has the focus. */
export function useFocus(where: Where, perform: (action: Action) => void): void {
  const latest = useRef({ where, perform });
  latest.current = { where, perform };

  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      if (event.isComposing || event.altKey || event.metaKey) return;
      const { where: here, perform: act } = latest.current;
      const place = placeOf(document.activeElement, here);
      const action = event.ctrlKey ? withControl(event.key, place) : actionFor(event.key, place);
      if (action === null && event.ctrlKey) return;
      if (action === null) {
        if (place.field === null && event.key.length === 1 && event.key !== " ") here.box.current?.focus();
        return;
      }
      event.preventDefault();
      if (!event.repeat || action.do === "select" || action.do === "quantity") act(action);
    }
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  useEffect(() => {
    /** Leaves the focus where it is when a button is pressed by hand. */
    function onPress(event: MouseEvent): void {
      if (!(event.target as Element).closest("input, label")) event.preventDefault();
    }
    document.addEventListener("mousedown", onPress);
    return () => document.removeEventListener("mousedown", onPress);
  }, []);

  // What had the focus may have left the page with the last snapshot; the next key must not be lost.
  useLayoutEffect(() => {
    if (document.activeElement === document.body) where.box.current?.focus();
  });
}

function placeOf(active: Element | null, where: Where): Place {
  const input = active instanceof HTMLInputElement ? active : null;
  const field = (input?.dataset["field"] ?? null) as Place["field"];
  return { ...where, field, empty: !input?.value };
}
