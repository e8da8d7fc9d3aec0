/** Long work in steps. It pauses after each slice of time, so that other work of the process goes on. */
import { setImmediate as turn } from "node:timers/promises";

export type Steps<Result> = Generator<void, Result>;

/** ms of work between two pauses. */
const SLICE = 10;

/** Takes steps for one slice. @returns the last step */
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

/** Takes all steps at once, where no other work waits. @throws what the work throws */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
