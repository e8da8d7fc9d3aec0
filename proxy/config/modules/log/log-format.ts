/** `log_format` of nginx's ngx_stream_log_module: the format of a session's log line. */
import type { Rows } from "../../language/row.ts";
import { declarations } from "../../language/declarations.ts";
import { ConfigError } from "../../language/error.ts";
import { suggest } from "../../language/suggest.ts";
import type { Directive } from "../../language/directive.ts";
import { words } from "../../language/values.ts";

/** The names are those of nginx's stream module, else of its http module. */
export const LOG_VARIABLES = [
  "bytes_received",
  "bytes_sent",
  "connection",
  "end",
  "hostname",
  "logged_in",
  "login",
  "login_attempts",
  "lookup_time",
  "msec",
  "pid",
  "protocol",
  "remote_addr",
  "remote_host",
  "remote_port",
  "remote_user",
  "server_addr",
  "server_port",
  "session_time",
  "ssl_cipher",
  "ssl_protocol",
  "ssl_server_name",
  "ssl_session_reused",
  "status",
  "time_iso8601",
  "time_local",
  "trace_id",
  "upstream_addr",
  "upstream_connect_time",
  "upstream_login_time",
] as const;

export type LogVariable = (typeof LOG_VARIABLES)[number];

/** Text and variables in order. */
export type Template = readonly (string | { readonly variable: LogVariable })[];

const ESCAPES = ["default", "json", "none"] as const;

export interface LogFormat {
  /** The escaping of variables' values. */
  readonly escape: (typeof ESCAPES)[number];
  readonly template: Template;
}

/** @throws ConfigError for an unknown variable */
export function template(text: string, directive: Directive): Template {
  const parts: (string | { readonly variable: LogVariable })[] = [];
  for (const [whole, closed, bare, open] of text.matchAll(PARTS)) {
    if (open !== undefined) {
      const mistake = `the closing bracket in "${open}" variable is missing`;
      throw new ConfigError(mistake, directive);
    }
    const name = closed ?? bare;
    if (name !== undefined) parts.push({ variable: variable(name, directive) });
    else if (whole === "$") throw new ConfigError(`invalid parameter "${text}"`, directive);
    else parts.push(whole);
  }
  return parts;
}

/** Matches text, `${name}`, `$name`, `${name` without its end, or a `$` alone. */
const PARTS = /[^$]+|\$\{(\w+)\}|\$(\w+)|\$\{(\w+)|\$/g;

function variable(name: string, directive: Directive): LogVariable {
  const known = LOG_VARIABLES.find((one) => one === name);
  if (known !== undefined) return known;
  const near = suggest(name, LOG_VARIABLES);
  const advice = near === null ? null : `did you mean "$${near}"?`;
  throw new ConfigError(`unknown "${name}" variable`, directive, advice);
}

/** The formats that `log_format` has defined so far, by name. */
export const formatsOf = declarations<LogFormat>();

/** Defines a format for every `access_log` further down, as in nginx. */
function logFormat(directive: Directive): null {
  const [name = "", ...rest] = words(directive);
  const formats = formatsOf(directive);
  if (formats.has(name)) {
    throw new ConfigError(`duplicate "log_format" name "${name}"`, directive);
  }
  const [, given = null] = /^escape=(.*)$/s.exec(rest[0] ?? "") ?? [];
  const escape = ESCAPES.find((one) => one === (given ?? "default"));
  if (escape === undefined) {
    throw new ConfigError(`unknown log format escaping "${given}"`, directive);
  }
  const text = (given === null ? rest : rest.slice(1)).join("");
  formats.set(name, { escape, template: template(text, directive) });
  return null;
}

export const logFormats = {
  log_format: {
    in: ["mail"],
    args: [2, Number.POSITIVE_INFINITY],
    read: logFormat,
    default: null,
  },
} satisfies Rows;
