/** Where the lines of a log go. */
import { fullName } from "../../language/files.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";
import { type SyslogServer, resolveSyslog, syslogServer } from "./syslog.ts";
import type { Paths } from "../../language/values.ts";

export type LogDestination =
  | { readonly path: string }
  | { readonly stream: "stdout" | "stderr" }
  | { readonly syslog: SyslogServer };

/** A file, or `syslog:` and its parameters; which words are streams, each directive says itself. */
export function logDestination(word: string, directive: Directive, paths: Paths): LogDestination {
  return word.startsWith("syslog:")
    ? { syslog: syslogServer(word, directive) }
    : { path: fullName(paths.prefix, word) };
}

/** With an address in place of a syslog server's name. */
export function resolveDestination(destination: LogDestination, hosts: Hosts): LogDestination {
  return "syslog" in destination
    ? { syslog: resolveSyslog(destination.syslog, hosts) }
    : destination;
}
