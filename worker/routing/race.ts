import type { Candidate } from "./policy.ts";

/**
 * Ranks servers by a race of exponential clocks: each draws a number from its chance, the faster the heavier
 * it is. The first is server i with probability weight(i) / total, and so is the second among the rest: whoever
 * leaves or joins changes nothing between the others.
 *
 * @param chance above 0 and up to 1, independent for each server
 */
export function race<Server extends Candidate>(
  servers: readonly Server[],
  chance: (server: Server) => number,
): readonly Server[] {
  return servers
    .map((server) => ({ server, time: -Math.log(chance(server)) / server.weight }))
    .toSorted((one, other) => one.time - other.time || compare(one.server.name, other.server.name))
    .map(({ server }) => server);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : 1;
}
