/** The destinations of each session's log line: `access_log` of nginx's ngx_stream_log_module. */
import { MAIL, MANY, type Rows, eachOf } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import { type LogDestination, logDestination, resolveDestination } from "./log-destination.ts";
import { type LogFormat, type Template, formatsOf, template } from "./log-format.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";
import { type Paths, words } from "../../language/values.ts";

export interface AccessLogTarget {
  readonly destination: LogDestination;
  readonly format: "json" | LogFormat;
  /** Logs only sessions for which this is neither empty nor 0; null for all. */
  readonly when: Template | null;
}

const OFF: readonly AccessLogTarget[] = [];

/** `off` overrides all others in the block, as in nginx. */
function accessLogs(
  directive: Directive,
  paths: Paths,
  earlier: readonly AccessLogTarget[] | undefined,
): readonly AccessLogTarget[] {
  const [first, second] = words(directive);
  if (first !== "off") return earlier === OFF ? OFF : each(directive, paths, earlier);
  if (second !== undefined) throw new ConfigError(`invalid parameter "${second}"`, directive);
  return OFF;
}

const each = eachOf(target);

function target(directive: Directive, paths: Paths): AccessLogTarget {
  const [word = "", ...given] = words(directive);
  if (word.includes("$")) {
    throw new ConfigError(`variables are not supported in the name of "${word}"`, directive);
  }
  const [format = "json", ...parameters] = given;
  let when: Template | null = null;
  for (const parameter of parameters) {
    const [, condition] = /^if=(.*)$/s.exec(parameter) ?? [];
    if (condition !== undefined) when = template(condition, directive);
    else if (!INERT.test(parameter)) {
      throw new ConfigError(`invalid parameter "${parameter}"`, directive);
    }
  }
  const destination: LogDestination =
    word === "stdout" ? { stream: word } : logDestination(word, directive, paths);
  return { destination, format: formatNamed(format, directive), when };
}

const INERT = /^(?:buffer=.+|flush=.+|gzip(?:=\d)?)$/s;

/** `json` is our own format, unless the file defines one of that name. */
function formatNamed(name: string, directive: Directive): AccessLogTarget["format"] {
  const format = formatsOf(directive).get(name) ?? (name === "json" ? name : undefined);
  if (format === undefined) throw new ConfigError(`unknown log format "${name}"`, directive);
  return format;
}

/** Replaces the names of syslog servers by addresses. */
export function resolveAccessLogs(
  logs: readonly AccessLogTarget[],
  hosts: Hosts,
): readonly AccessLogTarget[] {
  return logs.map((log) => ({ ...log, destination: resolveDestination(log.destination, hosts) }));
}

export const accessLog = {
  access_log: {
    in: MAIL,
    args: MANY,
    read: accessLogs,
    default: [
      { destination: { stream: "stdout" }, format: "json", when: null },
    ] as readonly AccessLogTarget[],
    notice: (_logs, directive) =>
      words(directive)
        .slice(2)
        .some((word) => INERT.test(word))
        ? "writes each line at once: buffer, flush and gzip have no effect"
        : null,
  },
} satisfies Rows;
