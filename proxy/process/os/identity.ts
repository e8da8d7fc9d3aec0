/** The user that workers run as. A primary that is root binds the ports; no process that talks to clients is root. */
import type { Identity, Settings } from "../../config/index.ts";
import { identityOf, isRoot } from "../../config/runtime.ts";

/** The default of most builds of nginx. */
const DEFAULT_USER = "nobody";

/**
 * @returns null for a primary that is not root, and cannot change its user
 * @throws Error, in nginx's words, where the system has no such user as the default
 */
export function workerIdentity({ user }: Settings): Identity | null {
  return isRoot ? (user ?? identityOf(DEFAULT_USER)) : null;
}

/** Becomes another user, for good. */
export function become({ user, uid, gid }: Identity): void {
  // The types lack initgroups(3), which takes the other groups of the user.
  if ("initgroups" in process && typeof process.initgroups === "function")
    process.initgroups(user, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
