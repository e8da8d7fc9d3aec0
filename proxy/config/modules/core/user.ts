/** `user`: whom workers run as. Names are looked up when they are read, so that a mistake has its place. */
import { execFileSync } from "node:child_process";
import { ConfigError, type Place } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";

export interface Identity {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** Whether the process may become somebody else. */
export const isRoot = process.getuid?.() === 0;

/** `user NAME [GROUP];` @returns null for a process that has nothing to give up */
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
 * @param group unless given, the one with the user's name, as in nginx, or else the user's own
 * @throws ConfigError, in nginx's words, for a name that the system does not know
 */
export function identityOf(user: string, group?: string, place?: Place): Identity {
  const uid = ask("id", ["-u", user], /^(\d+)/);
  if (uid === null) throw new ConfigError(`getpwnam("${user}") failed`, place);
  const own = group === undefined ? ask("id", ["-g", user], /^(\d+)/) : null;
  const gid = ask("getent", ["group", group ?? user], /^[^:]*:[^:]*:(\d+)/) ?? own;
  if (gid === null) throw new ConfigError(`getgrnam("${group}") failed`, place);
  return { user, uid, gid };
}

/** The system's own tools know users of every kind, LDAP's too. */
function ask(tool: string, args: readonly string[], number: RegExp): number | null {
  try {
    const said = execFileSync(tool, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [, digits] = number.exec(said) ?? [];
    return digits === undefined ? null : Number(digits);
  } catch {
    return null;
  }
}
