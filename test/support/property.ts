// How many inputs each property is tried with: one setting for all property tests.

/** Inputs of a property that is cheap to check. `npm run hostile` sets more. */
const INPUTS = Number(process.env["POSTERN_TEST_INPUTS"] ?? 10_000);

/**
 * The settings of `fc.assert`.
 *
 * @param cost how many times as long as a parser's few microseconds the check of one input takes
 */
export function inputs(cost = 1): { readonly numRuns: number } {
  return { numRuns: Math.max(Math.round(INPUTS / cost), 1) };
}
