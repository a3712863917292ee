/** Longest amount that is read, in digits: far below where a number stops being exact. */
const MOST_DIGITS = 12;

/** Reads a typed amount ("20", "20.5") as minor units, without a float; null when it is no amount of this currency. */
export function readMinor(text: string, minorDigits: number): number | null {
  const plain = text.normalize("NFKC").replace("。", ".").trim();
  const match = /^([0-9]*)(?:\.([0-9]*))?$/.exec(plain);
  if (match === null) return null;
  const [, whole = "", fraction = ""] = match;
  if (whole + fraction === "" || fraction.length > minorDigits) return null;
  const digits = whole + fraction.padEnd(minorDigits, "0");
  return digits.length > MOST_DIGITS ? null : Number(digits);
}

/** Writes minor units as the text that `readMinor` reads back: 1250 is "12.50". */
export function decimalText(minor: number, minorDigits: number): string {
  const digits = String(minor).padStart(minorDigits + 1, "0");
  if (minorDigits === 0) return digits;
  return `${digits.slice(0, -minorDigits)}.${digits.slice(-minorDigits)}`;
}

/** Major units of what people round up to with the notes they hand over. */
const NOTES = [10, 50, 100];

/** Returns what is likely handed over for an amount, in minor units, least first: 12.00 gives 20, 50 and 100. */
export function likelyCash(dueMinor: number, minorDigits: number): number[] {
  const rounded = NOTES.map((note) => {
    const noteMinor = note * 10 ** minorDigits;
    return Math.ceil(dueMinor / noteMinor) * noteMinor;
  });
  return [...new Set(rounded)].filter((minor) => minor > dueMinor).sort((a, b) => a - b);
}
