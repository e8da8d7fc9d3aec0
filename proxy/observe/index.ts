/** Logs, metrics and status pages. Nothing here decides anything. */
export { AccessLog } from "./access-log.ts";
export { ErrorLog } from "./error-log.ts";
export {
  RetiredCounts,
  type CacheResult,
  type LoginResult,
  PrimaryMetrics,
  type SessionState,
  type Snapshot,
  totalOf,
  WorkerMetrics,
} from "./metrics/index.ts";
export type { SessionRecord } from "./session-record.ts";
export { Sinks } from "./sinks/index.ts";
export { clipped } from "./line.ts";
export type { ListedSession, LiveSession } from "./live-session.ts";
