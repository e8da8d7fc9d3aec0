import type { adminTokens } from "../../directory/schema/index.ts";

export type Role = (typeof adminTokens.role.enumValues)[number];

/** The other roles that a role includes. `fleet` is for proxies, which are not operators. */
const ALSO: Readonly<Record<Role, readonly Role[]>> = {
  read: [],
  support: ["read"],
  admin: ["read", "support"],
  fleet: [],
};

/** True where a token of `role` may do what needs the role `needed`. */
export function mayAct(role: Role, needed: Role): boolean {
  return role === needed || ALSO[role].includes(needed);
}
