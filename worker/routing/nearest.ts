import { type Coordinates, distance } from "./coordinates.ts";
import type { PolicyServer, Policy } from "./policy.ts";
import { weighted } from "./weighted.ts";

/**
 * Ranks servers by their distance from the calling proxy, and by weight among servers of one place. Servers with
 * unknown coordinates come last. If the proxy's are unknown, weight alone decides.
 */
export const nearest: Policy = (servers, input) => {
  const { coordinates } = input;
  const shuffled = weighted(servers, input);
  return coordinates === null
    ? shuffled
    : shuffled.toSorted(
        (one, other) => distanceTo(one, coordinates) - distanceTo(other, coordinates),
      );
};

/** km. A server with unknown coordinates is farther than any other. */
function distanceTo({ latitude, longitude }: PolicyServer, coordinates: Coordinates): number {
  return latitude === null || longitude === null
    ? Number.MAX_VALUE
    : distance(coordinates, { latitude, longitude });
}
