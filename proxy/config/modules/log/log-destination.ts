/** The destination of a log. */
import { fullName } from "../../language/files.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";
import { type SyslogServer, resolveSyslog, syslogServer } from "./syslog.ts";
import type { Paths } from "../../language/values.ts";

export type LogDestination =
  | { readonly path: string }
  | { readonly stream: "stdout" | "stderr" }
  | { readonly syslog: SyslogServer };

/** Reads a file name, or `syslog:` and its parameters. The caller reads the words for streams, which differ. */
export function logDestination(word: string, directive: Directive, paths: Paths): LogDestination {
  return word.startsWith("syslog:")
    ? { syslog: syslogServer(word, directive) }
    : { path: fullName(paths.prefix, word) };
}

/** Replaces a syslog server's name by its address. */
export function resolveDestination(destination: LogDestination, hosts: Hosts): LogDestination {
  return "syslog" in destination
    ? { syslog: resolveSyslog(destination.syslog, hosts) }
    : destination;
}
