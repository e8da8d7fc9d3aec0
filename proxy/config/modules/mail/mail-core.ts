/** nginx's ngx_mail_core_module. */
import { hostname } from "node:os";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { MAIL, MANY, type Rows, allOf, lastOf, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import { parametersNotice } from "./listen-parameters.ts";
import { type Listen, listen } from "./listen.ts";
import type { Directive } from "../../language/directive.ts";
import { type ResolverSettings, resolver } from "./resolver.ts";
import { flag, number, rawWords, text, time } from "../../language/values.ts";

function protocol(directive: Directive): ProtocolName {
  const name = text(directive);
  if (name === "imap" || name === "pop3" || name === "smtp") return name;
  throw new ConfigError(`unknown protocol "${name}"`, directive);
}

export const mailCore = {
  listen: {
    in: ["server"],
    args: MANY,
    read: allOf(listen),
    default: [] as readonly Listen[],
    notice: (_listens, directive) => parametersNotice(directive),
  },
  protocol: {
    in: ["server"],
    args: 1,
    read: lastOf(protocol),
    default: null as ProtocolName | null,
  },
  server_name: {
    in: MAIL,
    args: 1,
    read: once((directive) => rawWords(directive)[0] || hostname().toLowerCase()),
    default: hostname().toLowerCase(),
  },
  timeout: { in: MAIL, args: 1, read: once(time), default: 60_000 },
  /** Ours: ms for all that comes before the login, our own work excepted; null for five minutes, or `timeout`. */
  login_timeout: { in: MAIL, args: 1, read: once(time), default: null as number | null },
  resolver: {
    in: MAIL,
    args: MANY,
    read: once(resolver),
    default: null as ResolverSettings | null,
  },
  resolver_timeout: { in: MAIL, args: 1, read: once(time), default: 30_000 },
  max_errors: { in: MAIL, args: 1, read: once(number), default: 5 },
  /** Ours, as freenginx has it: commands before the login. */
  max_commands: { in: MAIL, args: 1, read: once(number), default: 1000 },
  /** Ours: refused logins until the connection is closed, whatever `Auth-Wait` says; 0 for no limit. */
  max_login_failures: { in: MAIL, args: 1, read: once(number), default: 0 },
  /** Ours: passwords only where `*_auth` names them, EXTERNAL only with a certificate that was verified. */
  auth_strict: { in: MAIL, args: 1, read: once(flag), default: false },
} satisfies Rows;
