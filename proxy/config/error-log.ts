/** nginx's ngx_log: `error_log`, in every context but events. */
import { type Row, eachOf } from "./directive.ts";
import { ConfigError } from "./error.ts";
import { fullName } from "./files.ts";
import type { Hosts } from "./name-lookup.ts";
import { type LogLevel, isLogLevel } from "./log-level.ts";
import type { Directive } from "./parser.ts";
import { type SyslogServer, resolveSyslog, syslogServer } from "./syslog.ts";
import { type Paths, words } from "./values.ts";

/** Where messages go: stderr, a file's path, or a syslog server. */
export interface ErrorLogTarget {
  readonly destination:
    | { readonly stderr: true }
    | { readonly path: string }
    | { readonly syslog: SyslogServer };
  readonly level: LogLevel;
}

function errorLog(directive: Directive, paths: Paths): ErrorLogTarget {
  const [word = "", ...levels] = words(directive);
  return { destination: destination(word, directive, paths), level: level(levels, directive) };
}

function destination(
  word: string,
  directive: Directive,
  paths: Paths,
): ErrorLogTarget["destination"] {
  if (word === "stderr") return { stderr: true };
  if (word.startsWith("syslog:")) return { syslog: syslogServer(word, directive) };
  if (word.startsWith("memory:")) {
    throw new ConfigError("postern was built without debug support", directive);
  }
  return { path: fullName(paths.prefix, word) };
}

/** One level; or several of those that choose among debug messages, which are one to us. */
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

/** With addresses in place of the names of syslog servers. */
export function resolveErrorLogs(
  targets: readonly ErrorLogTarget[],
  hosts: Hosts,
): readonly ErrorLogTarget[] {
  return targets.map((target) => {
    const { destination: where } = target;
    if (!("syslog" in where)) return target;
    return { ...target, destination: { syslog: resolveSyslog(where.syslog, hosts) } };
  });
}

export const error_log: Row<readonly ErrorLogTarget[] | null> = {
  in: ["main", "mail", "server"],
  args: [1, Number.POSITIVE_INFINITY],
  read: (directive, paths, earlier) => eachOf(errorLog)(directive, paths, earlier ?? undefined),
  default: null,
};
