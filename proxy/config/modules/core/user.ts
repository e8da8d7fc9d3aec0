/** `user`: the system user of the workers. The name is looked up here, so that a mistake is reported with its line. */
import { ConfigError, type Place } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";

export interface Identity {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** True for a process that may change its user. */
export const isRoot = process.getuid?.() === 0;

/** Reads `user NAME [GROUP];`. @returns null for a process without root's rights, which has none to give up */
export function identity(directive: Directive): Identity | null {
  const [user = "", group] = directive.args;
  if (isRoot) return identityOf(user, group, directive);
  directive.diagnostics.warn(
    'the "user" directive makes sense only if the master process runs with super-user privileges, ignored',
    directive,
  );
  return null;
}

/**
 * @param group by default the group with the user's name, as in nginx, or else the user's primary group
 * @throws ConfigError in nginx's words for a name that the system does not know
 */
export function identityOf(user: string, group?: string, place?: Place): Identity {
  const uid = lookUp("id", ["-u", user], /^(\d+)/);
  if (uid === null) throw new ConfigError(`getpwnam("${user}") failed`, place);
  const own = group === undefined ? lookUp("id", ["-g", user], /^(\d+)/) : null;
  const gid = lookUp("getent", ["group", group ?? user], /^[^:]*:[^:]*:(\d+)/) ?? own;
  if (gid === null) throw new ConfigError(`getgrnam("${group}") failed`, place);
  return { user, uid, gid };
}

/** Asks a tool of the system, which also knows users of LDAP and other directories. */
function lookUp(tool: string, args: readonly string[], number: RegExp): number | null {
  try {
    // Only root's `user` directive needs this module, which takes 2 ms to load.
    const { execFileSync } = process.getBuiltinModule("node:child_process");
    const output = execFileSync(tool, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [, digits] = number.exec(output) ?? [];
    return digits === undefined ? null : Number(digits);
  } catch {
    return null;
  }
}
