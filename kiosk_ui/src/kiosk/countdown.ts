import { useEffect, useState } from "preact/hooks";

const LOOK_MS = 250;

/** Counts whole seconds down from what the daemon said last; it decides what happens at the end. */
export function useCountdown(seconds: number | null): number {
  const [left, setLeft] = useState(seconds ?? 0);
  useEffect(() => {
    setLeft(seconds ?? 0);
    if (seconds === null) return undefined;
    const started = performance.now();
    const timer = setInterval(() => {
      setLeft(Math.max(0, seconds - Math.floor((performance.now() - started) / 1000)));
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [seconds]);
  return left;
}
