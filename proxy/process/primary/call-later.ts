/** @param ms 0 for never. The timer keeps no process alive. */
export function callLater(ms: number, call: () => void): void {
  if (ms > 0) setTimeout(call, ms).unref();
}
