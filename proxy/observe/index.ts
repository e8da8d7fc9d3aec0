/** What Postern tells of itself. */
export { AccessLog } from "./access-log.ts";
export { ErrorLog } from "./error-log.ts";
export {
  Bygones,
  type CacheResult,
  type LoginResult,
  PrimaryMetrics,
  type SessionState,
  type Snapshot,
  WorkerMetrics,
} from "./metrics/index.ts";
export { Sinks } from "./sinks.ts";
export { StatusServer } from "./status-server.ts";
