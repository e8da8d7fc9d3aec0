/** Long work in steps, a slice of time after the other, so that others have their turn. */
import { setImmediate as turn } from "node:timers/promises";

export type Steps<Result> = Generator<void, Result>;

/** ms that work goes on before others have their turn. */
const SLICE = 10;

/** Takes steps as long as a slice lasts. @returns the last of them */
export function slice<Result>(steps: Steps<Result>): IteratorResult<void, Result> {
  const began = performance.now();
  let step = steps.next();
  while (step.done !== true && performance.now() - began < SLICE) step = steps.next();
  return step;
}

/** @throws what the work throws */
export async function inSlices<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const step = slice(steps);
    if (step.done === true) return step.value;
    await turn();
  }
}

/** All steps at once, while nobody else is there. @throws likewise */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
