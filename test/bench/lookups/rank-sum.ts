/**
 * Wilcoxon's rank-sum test: how far the one sample's ranks among all are from where chance would put them.
 *
 * @returns z, in standard deviations, positive where the first sample's values are the greater; ties are taken
 * in the order of the samples, of which times have next to none
 */
export function rankSum(first: readonly number[], second: readonly number[]): number {
  const all = [
    ...first.map((value) => ({ value, ofFirst: true })),
    ...second.map((value) => ({ value, ofFirst: false })),
  ].toSorted((one, other) => one.value - other.value);
  const sum = all.reduce((total, { ofFirst }, index) => total + (ofFirst ? index + 1 : 0), 0);
  const expected = (first.length * (all.length + 1)) / 2;
  const variance = (expected * second.length) / 6;
  return (sum - expected) / Math.sqrt(variance);
}
