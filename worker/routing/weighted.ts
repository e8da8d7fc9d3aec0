import type { Policy } from "./policy.ts";
import { race } from "./race.ts";

/** Ranks servers at random. Each is first for its weight's share of the users. */
export const weighted: Policy = (servers, { random }) => race(servers, () => 1 - random());
