import type { adminTokens } from "../../directory/schema/index.ts";

export type Role = (typeof adminTokens.role.enumValues)[number];

/** As whom else a token's holder may act. Proxies are no operators, nor operators proxies. */
const ALSO: Readonly<Record<Role, readonly Role[]>> = {
  read: [],
  support: ["read"],
  admin: ["read", "support"],
  fleet: [],
};

export function mayAct(role: Role, needed: Role): boolean {
  return role === needed || ALSO[role].includes(needed);
}
