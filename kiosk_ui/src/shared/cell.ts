import { useLayoutEffect, useState } from "preact/hooks";

/** One value that is replaced whole; whoever draws it is drawn again. */
export interface Cell<Value> {
  readonly value: Value;
  /** Calls back at each change; returns how to stop that. */
  watch(changed: () => void): () => void;
}

export interface OwnCell<Value> extends Cell<Value> {
  value: Value;
}

/** Makes a cell; only who made it may set it. */
export function cell<Value>(first: Value): OwnCell<Value> {
  const watchers = new Set<() => void>();
  let now = first;
  return {
    get value() {
      return now;
    },
    set value(next: Value) {
      if (next === now) return;
      now = next;
      watchers.forEach((changed) => changed());
    },
    watch(changed) {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
  };
}

/** Returns what a cell holds, and draws again when it holds something else. */
export function useCell<Value>(from: Cell<Value>): Value {
  const [, redraw] = useState({});
  useLayoutEffect(() => {
    const drawn = from.value;
    const stop = from.watch(() => redraw({}));
    if (from.value !== drawn) redraw({});
    return stop;
  }, [from]);
  return from.value;
}
