import { type Place, distance } from "./location.ts";
import type { Candidate, Policy } from "./policy.ts";
import { weighted } from "./weighted.ts";

/**
 * The server closest to the calling proxy first, by weight among those of one place. Servers whose place is
 * unknown come last; where the proxy's is, weight alone decides.
 */
export const nearest: Policy = (servers, situation) => {
  const { place } = situation;
  const shuffled = weighted(servers, situation);
  return place === null
    ? shuffled
    : shuffled.toSorted((one, other) => away(one, place) - away(other, place));
};

/** km; more than anywhere on earth where it is unknown. */
function away({ latitude, longitude }: Candidate, place: Place): number {
  return latitude === null || longitude === null
    ? Number.MAX_VALUE
    : distance(place, { latitude, longitude });
}
