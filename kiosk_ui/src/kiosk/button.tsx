import type { ComponentChildren, ComponentType } from "preact";

import { pressed } from "../shared/press";

interface Props {
  /** Its name for tests. */
  id: string;
  act: () => void;
  /** Classes beside `button`: quiet, primary, huge. */
  kind?: string;
  icon?: ComponentType | undefined;
  /** Of one that is switched on and off. */
  on?: boolean | undefined;
  children: ComponentChildren;
}

/** What a finger, Enter or a keypad can press. */
export function Button({ id, act, kind = "quiet", icon: Icon, on, children }: Props) {
  return (
    <button type="button" class={`button ${kind}`} data-testid={id} aria-pressed={on} onClick={pressed(act)}>
      {Icon && <Icon />}
      <span>{children}</span>
    </button>
  );
}
