import type { PrizeView } from "../shared/snapshots";

export const TURN_MS = 3200;
const WHOLE_TURNS = 4;
/** Odds below this are drawn this wide, so that the prize can be seen at all; the list says the odds. */
const LEAST_PCT = 4;
const RADIUS = 98;

/** Returns where each sector begins and ends, in turns from 0 to 1, as wide as its prize is likely. */
function spans(prizes: PrizeView[]): [number, number][] {
  const widths = prizes.map(({ odds, sold_out }) => (sold_out ? LEAST_PCT : Math.max(LEAST_PCT, parseFloat(odds) || 0)));
  const all = widths.reduce((sum, width) => sum + width, 0);
  let from = 0;
  return widths.map((width) => {
    const begin = from;
    from += width / all;
    return [begin, from];
  });
}

/** Returns the outline of each sector, from the top clockwise, around the origin. */
export function sectors(prizes: PrizeView[]): string[] {
  if (prizes.length === 1) return [`M0 ${-RADIUS}A${RADIUS} ${RADIUS} 0 1 1 -.01 ${-RADIUS}z`];
  return spans(prizes).map(
    ([from, to]) => `M0 0L${edge(from)}A${RADIUS} ${RADIUS} 0 ${to - from > 0.5 ? 1 : 0} 1 ${edge(to)}z`,
  );
}

function edge(turn: number): string {
  const angle = turn * 2 * Math.PI;
  return `${(RADIUS * Math.sin(angle)).toFixed(2)} ${(-RADIUS * Math.cos(angle)).toFixed(2)}`;
}

/** Returns by how many degrees the wheel is turned when the pointer at the top stands on a prize. */
export function pointerAngle(prizes: PrizeView[], drawn: number): number {
  const [from, to] = spans(prizes)[drawn] ?? [0, 0];
  return 360 - ((from + to) / 2) * 360;
}

/** Returns the same angle after some whole turns. */
export function turnsTo(angle: number): number {
  return WHOLE_TURNS * 360 + angle;
}
