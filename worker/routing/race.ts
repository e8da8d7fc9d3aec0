import type { PolicyServer } from "./policy.ts";

/**
 * Ranks servers by a race of exponential clocks, where a greater weight makes a faster clock. Server i is first with
 * probability weight(i) / total, and the rest is ranked likewise. So a server that leaves or joins does not change
 * the order of the others.
 *
 * @param chance returns a number above 0 and up to 1, independent for each server
 */
export function race<Server extends PolicyServer>(
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
