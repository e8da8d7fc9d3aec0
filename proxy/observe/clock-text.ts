/** Makes the text of a time once, for all lines that show the same time. */

/**
 * @param resolution ms for which one text holds
 * @param format writes a time
 * @returns a function that gives the text of the current time
 */
export function clockText(resolution: number, format: (now: Date) => string): () => string {
  let shown = Number.NaN;
  let text = "";
  return () => {
    const now = Date.now();
    const current = Math.floor(now / resolution);
    if (current !== shown) {
      shown = current;
      text = format(new Date(now));
    }
    return text;
  };
}

/** ms of a text without fractions of a second. */
export const SECOND = 1000;

export function twoDigits(value: number): string {
  return `${value}`.padStart(2, "0");
}
