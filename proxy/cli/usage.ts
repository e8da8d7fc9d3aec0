/** The answers to -h, -v and -V. */
import type { CommandLine } from "./command-line.ts";
import { builtBy, program } from "../version.ts";

const HELP = `Usage: postern [-?hvVtTq] [-s signal] [-p prefix] [-e filename] [-c filename] [-g directives]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and what it is built from, then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to the primary process: stop, quit, reopen, reload
  -s who        : list the sessions, in columns at a terminal and otherwise as lines of JSON
  -s kick user  : end a user's sessions, and forget cached lookups for the user
  -p prefix     : directory that -c, error_log and pid are relative to (default: this directory)
  -e filename   : error log for a configuration that has none
  -c filename   : configuration file (default: conf/nginx.conf)
  -g directives : global directives, read before the configuration file
  -Dname=value  : outbound proxy, by a Java property such as mail.imap.proxy.host
  @file         : more arguments, from a Java argument file
`;

export function about({ help, build }: CommandLine): void {
  process.stderr.write(`postern version: ${program}\n`);
  if (help) process.stderr.write(`${HELP}\n`);
  if (!build) return;
  process.stderr.write(
    `${builtBy}\nbuilt with OpenSSL ${process.versions.openssl}\n` +
      "TLS SNI support enabled\n" +
      "configure arguments: --with-mail --with-mail_ssl_module\n",
  );
}
