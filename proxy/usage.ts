/** The answers to -h, -v and -V. */
import type { CommandLine } from "./command-line.ts";
import { builtBy, program } from "./version.ts";

const HELP = `Usage: postern [-?hvVtTq] [-s signal] [-p prefix] [-e filename] [-c filename] [-g directives]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and what it is built from, then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to the primary process: stop, quit, reopen, reload
  -s who        : list the sessions: in columns at a terminal, otherwise in JSON, a line each
  -s kick user  : end a user's sessions, and forget what lookups have said of them
  -p prefix     : what -c, error_log and pid are relative to (default: this directory)
  -e filename   : error log where the configuration names none
  -c filename   : configuration file (default: conf/nginx.conf)
  -g directives : global directives that come before the configuration file
  -Dname=value  : outbound proxies, by Java's properties (mail.imap.proxy.host and its kind)
  @file         : more of these words, in an argument file of Java's
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
