import type { Policy } from "./policy.ts";
import { weighted } from "./weighted.ts";

/** In the operator's order; by weight among servers of one position. */
export const first: Policy = (servers, situation) =>
  weighted(servers, situation).toSorted((one, other) => one.position - other.position);
