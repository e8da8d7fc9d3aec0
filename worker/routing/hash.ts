import { createHash } from "node:crypto";
import type { Policy } from "./policy.ts";
import { race } from "./race.ts";

/**
 * The same user goes to the same server, each server has its weight's share of them, and of N servers one that
 * joins takes 1/N of the users, from all alike: rendezvous hashing (Thaler and Ravishankar, 1998), by weight
 * (Schindelhauer and Schomaker, 2005).
 */
export const hash: Policy = (servers, { user }) => race(servers, ({ name }) => chance(user, name));

/** 2^48: what six bytes of a digest count to. */
const RANGE = 2 ** 48;

/** A name cannot hold NUL, so no two pairs are digested alike. */
function chance(user: string, server: string): number {
  const digest = createHash("sha256").update(`${user}\0${server}`).digest();
  return (digest.readUIntBE(0, 6) + 1) / RANGE;
}
