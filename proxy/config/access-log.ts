/** Where the line of each session goes; the directive is that of nginx's ngx_stream_log_module. */
import { MAIL, type Rows, once } from "./directive.ts";
import { type LogDestination, logDestination, resolveDestination } from "./log-destination.ts";
import type { Hosts } from "./name-lookup.ts";
import type { Directive } from "./parser.ts";
import { type Paths, text } from "./values.ts";

export type AccessLogTarget = "off" | LogDestination;

function target(directive: Directive, paths: Paths): AccessLogTarget {
  const word = text(directive);
  if (word === "off") return word;
  return word === "stdout" ? { stream: word } : logDestination(word, directive, paths);
}

/** With an address in place of a syslog server's name. */
export function resolveAccessLog(log: AccessLogTarget, hosts: Hosts): AccessLogTarget {
  return log === "off" ? log : resolveDestination(log, hosts);
}

export const accessLog = {
  access_log: {
    in: MAIL,
    args: 1,
    read: once(target),
    default: { stream: "stdout" } as AccessLogTarget,
  },
} satisfies Rows;
