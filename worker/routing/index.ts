/** Which of several servers a user is sent to. */
import { first } from "./first.ts";
import { hash } from "./hash.ts";
import { nearest } from "./nearest.ts";
import type { Policy } from "./policy.ts";
import { weighted } from "./weighted.ts";

export { HostNames } from "./dns-over-https.ts";
export type { Place } from "./location.ts";
export type { Candidate, Situation } from "./policy.ts";

/** A group's policy, by the name that the directory has for it. */
export const POLICIES = { hash, weighted, nearest, first } satisfies Record<string, Policy>;
