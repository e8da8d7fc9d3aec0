import type { Group, Server } from "../directory/users.ts";

/**
 * Chooses among the servers that could serve a user.
 *
 * @param random from 0 up to, and never, 1
 * @returns undefined if there is no server
 */
export type Policy = (servers: readonly Server[], random: number) => Server | undefined;

export const POLICIES: Record<Group["policy"], Policy> = { weighted };

/** Each server gets its weight's share of the users. */
function weighted(servers: readonly Server[], random: number): Server | undefined {
  const total = servers.reduce((sum, { weight }) => sum + weight, 0);
  let left = random * total;
  return servers.find(({ weight }) => (left -= weight) < 0);
}
