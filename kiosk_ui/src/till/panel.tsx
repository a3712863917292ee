import type { ComponentChildren } from "preact";

import { Back } from "../shared/icons";
import { useTexts } from "./texts";

interface Props {
  title: string;
  name: string;
  close: () => void;
  children: ComponentChildren;
}

/** Stands in the place of the lines until Esc; what it changes shows in the totals beside it. */
export function Panel({ title, name, close, children }: Props) {
  const { say } = useTexts();
  return (
    <section class="panel" aria-label={title} data-testid={`panel-${name}`}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="button quiet" data-testid="panel-close" onClick={close}>
          <Back />
          <span>{say("till.action.back")}</span>
          <kbd>Esc</kbd>
        </button>
      </header>
      <div class="panel-body">{children}</div>
    </section>
  );
}

/** One press of an arrow key. */
const SCROLL_PX = 60;

/** Moves the panel that is open up or down: the lines behind it cannot be seen. */
export function scrollPanel(step: 1 | -1): void {
  document.querySelector(".panel-body")?.scrollBy({ top: step * SCROLL_PX });
}

/** Why something cannot be, on its own line. */
export function Because({ why, id = "why-not" }: { why: string | null | undefined; id?: string }) {
  return why ? (
    <p class="because" data-testid={id}>
      {why}
    </p>
  ) : null;
}
