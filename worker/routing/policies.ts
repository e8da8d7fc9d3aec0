import { first } from "./first.ts";
import { hash } from "./hash.ts";
import { nearest } from "./nearest.ts";
import type { Policy } from "./policy.ts";
import { weighted } from "./weighted.ts";

/** The policies, by their names in the directory. */
export const POLICIES = { hash, weighted, nearest, first } satisfies Record<string, Policy>;
