import { useRef, useState } from "preact/hooks";

import type { Problem } from "./snapshots";

/** Why an intent was not done. `version` is the newest frame that the daemon had then; 0 when it did not answer. */
export interface Refused extends Problem {
  version: number;
}

/** A refusal and the screen that it is about. */
export interface Standing {
  refused: Refused;
  about: string;
  /** The newest frame that was shown with it. */
  seen: number;
}

/**
 * Returns what stands of a refusal while a frame is shown; null once a newer one shows something else.
 *
 * Answers and frames come by different ways: a frame that the daemon made before it refused may come after the answer.
 */
export function standing(before: Standing | null, version: number, key: string): Standing | null {
  // A lower number is of a daemon that was started anew.
  if (before === null || version < before.seen) return null;
  if (version <= before.refused.version) return { ...before, about: key, seen: version };
  return before.about === key ? { ...before, seen: version } : null;
}

/** Keeps the last refusal until something else is shown; `key` says what of a frame counts as that. */
export function useRefusal(version: number, key: string): [Problem | null, (refused: Refused | null) => void] {
  const [, redraw] = useState({});
  const now = useRef<Standing | null>(null);
  const shown = useRef(key);
  const drawn = useRef(version);
  shown.current = key;
  drawn.current = version;
  now.current = standing(now.current, version, key);

  function refuse(refused: Refused | null): void {
    now.current = refused && { refused, about: shown.current, seen: drawn.current };
    redraw({});
  }

  return [now.current?.refused ?? null, refuse];
}
