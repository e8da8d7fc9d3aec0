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
  /** Ours: ms until the login must be done, without the time that Postern itself takes; null for five minutes or `timeout`, whichever is longer. */
  login_timeout: { in: MAIL, args: 1, read: once(time), default: null as number | null },
  resolver: {
    in: MAIL,
    args: MANY,
    read: once(resolver),
    default: null as ResolverSettings | null,
  },
  resolver_timeout: { in: MAIL, args: 1, read: once(time), default: 30_000 },
  max_errors: { in: MAIL, args: 1, read: once(number), default: 5 },
  /** Commands before the login, as in freenginx. */
  max_commands: { in: MAIL, args: 1, read: once(number), default: 1000 },
  /** Ours: refused logins after which the connection is closed, with any `Auth-Wait`; 0 for no limit. */
  max_login_failures: { in: MAIL, args: 1, read: once(number), default: 0 },
  /** Ours: allow passwords only where `*_auth` names them, and EXTERNAL only with a verified certificate. */
  auth_strict: { in: MAIL, args: 1, read: once(flag), default: false },
} satisfies Rows;
