/** Metrics of the process itself: its memory, and how late its event loop is. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { MetricSet, Values } from "./metric-set.ts";

const PERCENTILES = [50, 99, 100];

/** ms between two samples of the event loop. A shorter delay is not seen. */
const RESOLUTION = 20;

/** @param role a label: workers are added up, or the worst of them counts */
export function watchProcess(metrics: MetricSet, role: "primary" | "worker"): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  metrics.gauge(
    "event_loop_delay_seconds",
    "Delay of the event loop since the last scrape, in the slowest process",
    "max",
    function* (): Values {
      // From the first scrape on: without scrapes the timer of the samples would wake the process for nothing.
      delay.enable();
      for (const percentile of PERCENTILES) {
        const late = delay.count === 0 ? 0 : delay.percentile(percentile) / 1e9;
        yield [
          { process: role, percentile: `${percentile}` },
          Math.max(0, late - RESOLUTION / 1000),
        ];
      }
      delay.reset();
    },
  );
  metrics.gauge("memory_bytes", "Memory of all processes, by Node's kinds", "sum", () => {
    const { rss, heapUsed, external } = process.memoryUsage();
    return Object.entries({ rss, heap: heapUsed, external }).map(
      ([kind, bytes]) => [{ process: role, kind }, bytes] as const,
    );
  });
  metrics.gauge("processes", "Processes that answered the scrape", "sum", () => [
    [{ process: role }, 1],
  ]);
}
