/**
 * Awaits `work`. If `signal` aborts meanwhile, `giveUp` is called, which must make `work` fail soon.
 *
 * @throws what `work` throws
 */
export async function orGiveUp<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
  giveUp: () => void,
): Promise<Result> {
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    if (signal.aborted) giveUp();
    return await work;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
