/** Revocations that the fleet or an operator tells of, and the logins that each of them ends. */
export { KickList, type Login } from "./kick-list.ts";
export { type Kick, type LineState, type RevocationState, Revocations } from "./revocations.ts";
