import type { Policy } from "./policy.ts";
import { weighted } from "./weighted.ts";

/** Ranks servers by the operator's order, and by weight among servers of one position. */
export const first: Policy = (servers, input) =>
  weighted(servers, input).toSorted((one, other) => one.position - other.position);
