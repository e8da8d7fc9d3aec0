/** Whom workers run as: a primary that is root binds the ports, and what talks to strangers is not root. */
import { execFileSync } from "node:child_process";

export interface Identity {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** What nginx is built with, mostly. */
const DEFAULT_USER = "nobody";

/**
 * @param directive `user NAME [GROUP];`; the group is the user's own unless given
 * @returns null for a primary that is not root, and has nothing to give up
 * @throws Error, in nginx's words, for a name that the system does not know
 */
export function workerIdentity(directive: readonly string[] | null): Identity | null {
  if (process.getuid?.() !== 0) return null;
  const [user = DEFAULT_USER, group] = directive ?? [];
  return {
    user,
    uid: ask("id", ["-u", user], `getpwnam("${user}") failed`),
    gid: groupOf(user, group),
  };
}

function groupOf(user: string, group: string | undefined): number {
  if (group === undefined) return ask("id", ["-g", user], `getpwnam("${user}") failed`);
  return ask("getent", ["group", group], `getgrnam("${group}") failed`, /^[^:]*:[^:]*:(\d+)/);
}

/** The system's own tools know users of every kind, LDAP's too. */
function ask(tool: string, args: readonly string[], failure: string, number = /^(\d+)/): number {
  try {
    const said = execFileSync(tool, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [, digits] = number.exec(said) ?? [];
    if (digits !== undefined) return Number(digits);
  } catch {
    // Said below, as what it means.
  }
  throw new Error(failure);
}

/** Becomes that user, for good. */
export function become({ user, uid, gid }: Identity): void {
  // Missing from the types: the groups that the user is in besides its own.
  if ("initgroups" in process && typeof process.initgroups === "function")
    process.initgroups(user, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
