import type { Policy } from "./policy.ts";
import { race } from "./race.ts";

/** Each server gets its weight's share of the users, by chance. */
export const weighted: Policy = (servers, { random }) => race(servers, () => 1 - random());
