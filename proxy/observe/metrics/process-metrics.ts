/** How a process fares: its memory, and how long what is due waits for its turn. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Registry } from "prom-client";
import { type Values, gauge } from "./kinds.ts";

const PERCENTILES = [50, 99, 100];

/** ms between samples of the event loop, below which nothing is seen. */
const RESOLUTION = 20;

/** @param role `primary` or `worker`: workers are added up, or the worst of them counts */
export function watchProcess(registry: Registry, role: "primary" | "worker"): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  gauge(
    registry,
    "event_loop_delay_seconds",
    "How late the event loop was since the last scrape, of the slowest process",
    ["process", "percentile"],
    "max",
    function* (): Values<"process" | "percentile"> {
      // Where nobody asks, nothing wakes up to measure.
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
  gauge(
    registry,
    "memory_bytes",
    "Memory of all processes, as Node tells its kinds",
    ["process", "kind"],
    "sum",
    () => {
      const { rss, heapUsed, external } = process.memoryUsage();
      return Object.entries({ rss, heap: heapUsed, external }).map(
        ([kind, bytes]) => [{ process: role, kind }, bytes] as const,
      );
    },
  );
  gauge(registry, "processes", "Processes that answer", ["process"], "sum", () => [
    [{ process: role }, 1],
  ]);
}
