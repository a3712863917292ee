const FIRST_WAIT_S = 0.2;
const LONGEST_WAIT_S = 5;

/** Returns how long to wait before reconnect number `attempt` (from 0): doubling, half of it jitter, at most 5 s. */
export function reconnectWaitS(attempt: number, random: () => number): number {
  const ceiling_s = Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** Math.min(attempt, 10));
  return ceiling_s * (0.5 + 0.5 * random());
}
