import { adminTokens } from "../directory/schema/index.ts";

/** What a token's holder may do, each all that the one before may: `read`, `support`, `admin`. */
const ROLES = adminTokens.role.enumValues;

export type Role = (typeof ROLES)[number];

export function mayAct(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
