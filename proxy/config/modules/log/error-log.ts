/** nginx's ngx_log: `error_log` in every context but `events`. */
import { resolve } from "node:path";
import { MAIL, MANY, type Row, eachOf } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import { defaultFile } from "../../language/files.ts";
import { type LogDestination, logDestination, resolveDestination } from "./log-destination.ts";
import { type LogLevel, isLogLevel } from "./log-level.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";
import { type Paths, words } from "../../language/values.ts";

export interface ErrorLogTarget {
  readonly destination: LogDestination;
  readonly level: LogLevel;
}

function errorLog(directive: Directive, paths: Paths): ErrorLogTarget {
  const [word = "", ...levels] = words(directive);
  return { destination: destinationOf(word, directive, paths), level: level(levels, directive) };
}

function destinationOf(word: string, directive: Directive, paths: Paths): LogDestination {
  if (word === "stderr") return { stream: word };
  if (word.startsWith("memory:")) {
    throw new ConfigError("postern was built without debug support", directive);
  }
  return logDestination(word, directive, paths);
}

/** Reads one level, or several of nginx's debug levels, which are all `debug` here. */
function level(given: readonly string[], directive: Directive): LogLevel {
  let chosen: LogLevel | null = null;
  let debugging = false;
  for (const word of given) {
    if (isLogLevel(word)) {
      if (chosen !== null || debugging) {
        throw new ConfigError(`duplicate log level "${word}"`, directive);
      }
      chosen = word;
    } else {
      if (chosen !== null || !DEBUG_LEVELS.has(word)) {
        throw new ConfigError(`invalid log level "${word}"`, directive);
      }
      debugging = true;
    }
  }
  return debugging ? "debug" : (chosen ?? "error");
}

const DEBUG_LEVELS: ReadonlySet<string> = new Set(
  ["core", "alloc", "mutex", "event", "http", "mail", "stream"].map((part) => `debug_${part}`),
);

/** Adds the default log where the others are syslog servers only, so that errors always reach a file or stderr, as in nginx. */
export function mainLogs(
  given: readonly ErrorLogTarget[],
  fallback: ErrorLogTarget,
): readonly ErrorLogTarget[] {
  const lasting = given.some(({ destination }) => !("syslog" in destination));
  return lasting ? given : [...given, fallback];
}

/**
 * nginx's `logs/error.log`, or stderr where there is no `logs/`, as in a container.
 *
 * @param given the log of `-e`
 */
export function defaultErrorLog(prefix: string, given: string | null): ErrorLogTarget {
  const path = given === null ? defaultFile(prefix, "logs/error.log") : resolve(prefix, given);
  const destination: LogDestination =
    given === "stderr" || path === null ? { stream: "stderr" } : { path };
  return { destination, level: "error" };
}

/** Replaces the names of syslog servers by addresses. */
export function resolveErrorLogs(
  targets: readonly ErrorLogTarget[],
  hosts: Hosts,
): readonly ErrorLogTarget[] {
  return targets.map((target) => ({
    ...target,
    destination: resolveDestination(target.destination, hosts),
  }));
}

export const error_log: Row<readonly ErrorLogTarget[] | null> = {
  in: ["main", ...MAIL],
  args: MANY,
  read: (directive, paths, earlier) => eachOf(errorLog)(directive, paths, earlier ?? undefined),
  default: null,
};
