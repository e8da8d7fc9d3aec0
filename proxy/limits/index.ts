/** Limits on connections and logins: claims, and who grants them. */
export type { Claim, CountedBy, Denial, Registry } from "./claim.ts";
export { type Account, Ledger } from "./connection-counts.ts";
export { type Refusal, Refusals } from "./rejections.ts";
