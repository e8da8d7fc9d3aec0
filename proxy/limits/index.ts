/** Limits on connections and logins: claims of sessions, and the counts that grant them. */
export type { Claim, CountedBy, Denial, Limiter } from "./claim.ts";
export { ConnectionCounts } from "./connection-counts.ts";
export { type Rejection, RejectionCounts } from "./rejections.ts";
export { WorkerCounts } from "./worker-counts.ts";
