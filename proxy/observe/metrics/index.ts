/** Metrics for Prometheus. */
export { PrimaryMetrics } from "./primary-metrics.ts";
export { RetiredCounts, type Snapshot, totalOf } from "./snapshot.ts";
export {
  type CacheResult,
  type LoginResult,
  type SessionState,
  WorkerMetrics,
} from "./worker-metrics.ts";
