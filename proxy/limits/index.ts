/** Limits on connections and logins: claims, and who grants them. */
export type { Claim, CountedBy, Denial, Limiter } from "./claim.ts";
export { type WorkerCounts, ConnectionCounts } from "./connection-counts.ts";
export { type Rejection, RejectionCounts } from "./rejections.ts";
