/** Whom workers run as: a primary that is root binds the ports, and what talks to strangers is not root. */
import type { Identity, Settings } from "../../config/index.ts";
import { identityOf, isRoot } from "../../config/runtime.ts";

/** What nginx is built with, mostly. */
const DEFAULT_USER = "nobody";

/**
 * @returns null for a primary that is not root, and has nothing to give up
 * @throws Error, in nginx's words, where the system does not know the default
 */
export function workerIdentity({ user }: Settings): Identity | null {
  return isRoot ? (user ?? identityOf(DEFAULT_USER)) : null;
}

/** Becomes that user, for good. */
export function become({ user, uid, gid }: Identity): void {
  // Missing from the types: the groups that the user is in besides its own.
  if ("initgroups" in process && typeof process.initgroups === "function")
    process.initgroups(user, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
