// Measures how long work takes. Results are compared with each other only, since machines differ.

/** The best of some runs, ms: what it costs when nothing else disturbs. */
export function cost(work: () => void, runs = 20): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}
