/** One client's session, from the accepted connection to its last byte. */
export type { Server } from "./server.ts";
export { Session } from "./session.ts";
export { serverLimits } from "./session-limits.ts";
