/** The criteria of a load that is held: figures do not grow with time. */

/** The heaps after a collection: so little, relative to the first quarter, may they have grown at the end. */
export const HEAP_GROWTH = 0.05;
/**
 * All memory: so little, relative to its mean, may its trend over the last half add up to. V8 collects when it likes,
 * and buffers fill while a machine with much else to do is late, so single figures differ by a tenth.
 */
export const GROWTH = 0.15;
/** Times of logins: the last quarter may take so many times as long as the first. */
export const FACTOR = 2;

/** ms: a 99th percentile below is no slowdown, since other work of the machine alone makes such differences. */
const QUICK = 25;

/** The growth over the last half of the values by their linear trend (least squares), relative to their mean. */
export function growth(values: readonly number[]): number {
  const half = values.slice(Math.floor(values.length / 2));
  const mean = average(half);
  const middle = (half.length - 1) / 2;
  let [slope, square] = [0, 0];
  for (const [index, value] of half.entries()) {
    slope += (index - middle) * (value - mean);
    square += (index - middle) ** 2;
  }
  return square === 0 ? 0 : ((slope / square) * (half.length - 1)) / mean;
}

/** The median of the last quarter, relative to that of the first, or to `QUICK`. @param values ms */
export function slowdown(values: readonly number[]): number {
  const quarter = Math.ceil(values.length / 4);
  return median(values.slice(-quarter)) / Math.max(median(values.slice(0, quarter)), QUICK);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
