// How many inputs each property is tried with, and which: one setting for all property tests.

/** Inputs of a property that is cheap to check. `npm run hostile` sets more. */
const INPUTS = Number(process.env["POSTERN_TEST_INPUTS"] ?? 10_000);

/**
 * `npm test` tries the same inputs each time, so that no change is held up by what it has not caused. `npm run hostile`
 * tries others each time.
 */
export const SEED = Number(process.env["POSTERN_TEST_SEED"] ?? 1);

/**
 * The settings of `fc.assert`.
 *
 * @param cost how many times as long as a parser's few microseconds the check of one input takes
 */
export function inputs(cost = 1): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: Math.max(Math.round(INPUTS / cost), 1), seed: SEED };
}
