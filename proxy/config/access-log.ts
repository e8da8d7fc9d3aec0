/** Where the line of each session goes; the directive is that of nginx's ngx_stream_log_module. */
import { MAIL, type Rows, once } from "./directive.ts";
import { fullName } from "./files.ts";
import type { Hosts } from "./name-lookup.ts";
import type { Directive } from "./parser.ts";
import { type SyslogServer, resolveSyslog, syslogServer } from "./syslog.ts";
import { type Paths, text } from "./values.ts";

export type AccessLogTarget =
  | "off"
  | "stdout"
  | { readonly path: string }
  | { readonly syslog: SyslogServer };

function target(directive: Directive, paths: Paths): AccessLogTarget {
  const word = text(directive);
  if (word === "off" || word === "stdout") return word;
  if (word.startsWith("syslog:")) return { syslog: syslogServer(word, directive) };
  return { path: fullName(paths.prefix, word) };
}

/** With an address in place of a syslog server's name. */
export function resolveAccessLog(log: AccessLogTarget, hosts: Hosts): AccessLogTarget {
  return typeof log === "object" && "syslog" in log
    ? { syslog: resolveSyslog(log.syslog, hosts) }
    : log;
}

export const accessLog = {
  access_log: { in: MAIL, args: 1, read: once(target), default: "stdout" as AccessLogTarget },
} satisfies Rows;
