/** nginx's ngx_mail_ssl_module: TLS towards clients. */
import { resolve } from "node:path";
import { MAIL, MANY, type Rows, eachOf, inert, lastOf, once, setOf } from "./directive.ts";
import { ConfigError } from "./error.ts";
import { readText } from "./files.ts";
import type { Directive } from "./parser.ts";
import { type Paths, bytes, flag, oneOf, text, time } from "./values.ts";

/** An `ssl_*` file, relative to the directory of the main configuration file. */
function file(directive: Directive, paths: Paths): string {
  return resolve(paths.configuration, text(directive));
}

/** A PEM file's text, read at once. */
export function pemFile(directive: Directive, paths: Paths): string {
  return readText(file(directive, paths), directive);
}

/** The pass phrases of a file, a line each, to be tried in turn on an encrypted key. */
function passwords(directive: Directive, paths: Paths): readonly string[] {
  return pemFile(directive, paths)
    .split(/\r?\n/)
    .filter((line) => line !== "");
}

/** The versions that nginx names, and those that today's OpenSSL still speaks. */
const PROTOCOLS = ["sslv2", "sslv3", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"] as const;
const SPOKEN: readonly string[] = ["tlsv1.2", "tlsv1.3"];

function protocolsInstead(asked: readonly string[]): string | null {
  const gone = asked.filter((name) => !SPOKEN.includes(name));
  if (gone.length === 0) return null;
  return `does not bring back ${gone.join(", ")}: OpenSSL 3 grants TLSv1.2 and TLSv1.3 only`;
}

const SESSION_CACHE = /^(?:off|none|builtin(?::\d+)?|shared:[^:]+:(\d+[km]?))$/i;

/** Where sessions are kept: workers share ticket keys, so that a session resumes in any of them. */
function sessionCache(directive: Directive): readonly string[] {
  for (const word of directive.args) {
    const found = SESSION_CACHE.exec(word);
    if (found === null) throw new ConfigError(`invalid session cache "${word}"`, directive);
    const [, size] = found;
    if (size !== undefined && bytes(size) < SMALLEST_CACHE) {
      throw new ConfigError(`session cache "${word}" is too small`, directive);
    }
  }
  return directive.args;
}

/** nginx's eight pages. */
const SMALLEST_CACHE = 32_768;

export const ssl = {
  /** Obsolete, and refused by today's nginx; its own guide still has it. */
  ssl: { in: MAIL, args: 1, read: once(flag), default: false },
  starttls: {
    in: MAIL,
    args: 1,
    read: once(oneOf("off", "on", "only")),
    default: "off" as "off" | "on" | "only",
  },
  ssl_certificate: { in: MAIL, args: 1, read: eachOf(file), default: [] as readonly string[] },
  ssl_certificate_key: { in: MAIL, args: 1, read: eachOf(file), default: [] as readonly string[] },
  ssl_password_file: { in: MAIL, args: 1, read: once(passwords), default: [] as readonly string[] },
  ssl_protocols: {
    in: MAIL,
    args: MANY,
    read: setOf(...PROTOCOLS),
    default: SPOKEN,
    instead: protocolsInstead,
  },
  ssl_ciphers: { in: MAIL, args: 1, read: once(text), default: "HIGH:!aNULL:!MD5" },
  ssl_prefer_server_ciphers: { in: MAIL, args: 1, read: once(flag), default: false },
  ssl_ecdh_curve: { in: MAIL, args: 1, read: once(text), default: "auto" },
  ssl_dhparam: { in: MAIL, args: 1, read: once(pemFile), default: null as string | null },
  ssl_session_cache: {
    in: MAIL,
    args: [1, 2],
    read: lastOf(sessionCache),
    default: ["none"] as readonly string[],
    instead: () => "is kept by tickets, whose keys all workers share, rather than in memory",
  },
  ssl_session_timeout: { in: MAIL, args: 1, read: once(time), default: 300_000 },
  ssl_session_tickets: {
    in: MAIL,
    args: 1,
    read: once(flag),
    default: true,
    instead: (on) => (on ? null : "stays on where ssl_session_cache stores sessions"),
  },
  ssl_certificate_compression: inert(MAIL, 1, "certificates are sent as they are", flag),
} satisfies Rows;
