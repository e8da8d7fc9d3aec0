import { createHash } from "node:crypto";
import type { Policy } from "./policy.ts";
import { race } from "./race.ts";

/**
 * Sends a user always to the same server, by rendezvous hashing (Thaler and Ravishankar, 1998) with weights
 * (Schindelhauer and Schomaker, 2005). Each server gets its weight's share of the users. A server that joins to make
 * N takes 1/N of the users, evenly from the others.
 */
export const hash: Policy = (servers, { user }) => race(servers, ({ name }) => chance(user, name));

/** The number of values of six bytes. */
const RANGE = 2 ** 48;

/** A name has no NUL, so the text of each pair is unique. */
function chance(user: string, server: string): number {
  const digest = createHash("sha256").update(`${user}\0${server}`).digest();
  return (digest.readUIntBE(0, 6) + 1) / RANGE;
}
