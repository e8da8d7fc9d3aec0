/** @param ms until then; 0 for never. Nobody is kept alive by it */
export function limit(ms: number, then: () => void): void {
  if (ms > 0) setTimeout(then, ms).unref();
}
