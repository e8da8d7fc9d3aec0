/** nginx's ngx_mail_ssl_module: TLS towards clients. Files are read only where a server speaks TLS. */
import { MAIL, type Rows, type Values, eachOf, lastOf, once } from "../language/row.ts";
import { ConfigError, type Place } from "../language/error.ts";
import type { Directive } from "../language/directive.ts";
import { bytes, flag, invalid, number, oneOf, seconds, text, words } from "../language/values.ts";
import { SMALLEST_ZONE, declareZone } from "../language/zone.ts";
import { commands, passwords, protocols } from "./rows.ts";

const SESSION_CACHE = /^(?:off|none|builtin(?::\d+)?|shared:([^:]+):(\d+[km]?))$/i;

/** `ssl_session_cache` */
function sessionCache(directive: Directive): readonly string[] {
  const cache = words(directive);
  for (const word of cache) {
    const found = SESSION_CACHE.exec(word);
    if (found === null) throw new ConfigError(`invalid session cache "${word}"`, directive);
    const [, name, size] = found;
    if (name === undefined || size === undefined) continue;
    if (bytes(size) < SMALLEST_ZONE) {
      throw new ConfigError(`session cache "${word}" is too small`, directive);
    }
    declareZone(name, bytes(size), directive);
  }
  return cache;
}

function sessionTimeout(directive: Directive): number {
  const value = seconds(text(directive));
  if (Number.isNaN(value)) throw invalid("value", directive);
  return value;
}

/** True for a cache that stores sessions, so that they can be resumed without a ticket. */
export function storesSessions(cache: readonly string[]): boolean {
  return cache.some((word) => /^(?:shared|builtin)/i.test(word));
}

/** Directives that decide where TLS is spoken. Other parts of Postern read them, too. */
export const security = {
  /** Obsolete. Today's nginx refuses it, although nginx's guide still has it. */
  ssl: { in: MAIL, args: 1, read: once(flag), default: false },
  starttls: {
    in: MAIL,
    args: 1,
    read: once(oneOf("off", "on", "only")),
    default: "off" as "off" | "on" | "only",
  },
} satisfies Rows;

/** The argument of a directive for a file: a path, or `data:` and the contents. */
const NO_FILE = null as string | null;
const NO_FILES = [] as readonly string[];

/** Directives for TLS where it is spoken. */
export const ssl = {
  ssl_certificate: { in: MAIL, args: 1, read: eachOf(text), default: NO_FILES },
  ssl_certificate_key: { in: MAIL, args: 1, read: eachOf(text), default: NO_FILES },
  /** Ours: a folder with certificates and keys, also in its subfolders. */
  ssl_certificate_dir: { in: MAIL, args: 1, read: once(text), default: NO_FILE },
  ssl_password_file: passwords,
  ssl_protocols: protocols("ssl_ciphers"),
  ssl_ciphers: { in: MAIL, args: 1, read: once(text), default: "HIGH:!aNULL:!MD5" },
  ssl_prefer_server_ciphers: { in: MAIL, args: 1, read: once(flag), default: false },
  ssl_ecdh_curve: { in: MAIL, args: 1, read: once(text), default: "auto" },
  ssl_dhparam: { in: MAIL, args: 1, read: once(text), default: NO_FILE },
  ssl_session_cache: {
    in: MAIL,
    args: [1, 2],
    read: lastOf(sessionCache),
    default: ["none"] as readonly string[],
    notice: (cache) =>
      storesSessions(cache)
        ? "keeps sessions in tickets, whose keys all workers share, and not in memory"
        : null,
  },
  /** Seconds. */
  ssl_session_timeout: { in: MAIL, args: 1, read: once(sessionTimeout), default: 300 },
  ssl_session_tickets: {
    in: MAIL,
    args: 1,
    read: once(flag),
    default: true,
    notice: (on) => (on ? null : "stays on while ssl_session_cache stores sessions"),
  },
  ssl_session_ticket_key: { in: MAIL, args: 1, read: eachOf(text), default: NO_FILES },
  ssl_verify_client: {
    in: MAIL,
    args: 1,
    read: once(oneOf("off", "on", "optional", "optional_no_ca")),
    default: "off" as "off" | "on" | "optional" | "optional_no_ca",
  },
  ssl_verify_depth: { in: MAIL, args: 1, read: once(number), default: 1 },
  ssl_client_certificate: { in: MAIL, args: 1, read: once(text), default: NO_FILE },
  ssl_trusted_certificate: {
    in: MAIL,
    args: 1,
    read: once(text),
    default: NO_FILE,
    notice: () => "is sent to clients like ssl_client_certificate: Node cannot keep the two apart",
  },
  ssl_crl: { in: MAIL, args: 1, read: once(text), default: NO_FILE },
  ssl_certificate_compression: { in: MAIL, args: 1, read: once(flag), default: false },
  ssl_conf_command: commands,
} satisfies Rows;

export type TlsValues = Values<typeof ssl>;

/** Place of the directive that is in effect for a server. */
export type PlaceOf = (directive: string) => Place;
