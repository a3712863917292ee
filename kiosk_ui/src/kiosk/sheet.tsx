import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { pressed } from "../shared/press";
import { useTexts } from "./texts";

interface Props {
  /** Its name for tests; its button is `close-<id>`. */
  id: string;
  label: string;
  close: () => void;
  children: ComponentChildren;
}

/** Stands over the screen until it is touched anywhere. */
export function Sheet({ id, label, close, children }: Props) {
  const { say } = useTexts();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  useEffect(() => {
    /** Esc closes what is on top, and does not finish the visit behind it. */
    function onKey(event: KeyboardEvent): void {
      if (event.key !== "Escape") return;
      event.stopImmediatePropagation();
      close();
    }
    document.addEventListener("keydown", onKey, { capture: true });
    return () => document.removeEventListener("keydown", onKey, { capture: true });
  }, []);
  return (
    <div class="overlay" data-testid={id} onClick={pressed(close)}>
      <div class="dialog sheet" role="dialog" aria-modal="true" aria-label={label}>
        {children}
        <button ref={button} type="button" class="button primary" data-testid={`close-${id}`}>
          {say("kiosk.history.close")}
        </button>
      </div>
    </div>
  );
}
