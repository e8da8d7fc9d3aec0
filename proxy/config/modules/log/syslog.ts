/** The log destination `syslog:`, as in nginx's ngx_syslog. */
import { hostname } from "node:os";
import { ConfigError } from "../../language/error.ts";
import { hostAndPort, isUnix, refuseIn, unixHost } from "../../language/hosts/parse.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import { type LogLevel, isLogLevel } from "./log-level.ts";
import type { Directive } from "../../language/directive.ts";

export interface SyslogServer {
  /** A name or an address, or `unix:` and a path. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** The facility's number in RFC 3164 section 4.1.1. */
  readonly facility: number;
  /** The severity of lines without their own. */
  readonly severity: LogLevel;
  readonly tag: string;
  /** This machine's name; null to leave it out. */
  readonly hostname: string | null;
}

/** The index of each is its number in RFC 3164 section 4.1.1. The spelling is nginx's. */
const FACILITIES = (
  "kern user mail daemon auth intern lpr news uucp clock authpriv ftp ntp audit alert cron " +
  "local0 local1 local2 local3 local4 local5 local6 local7"
).split(" ");

const DEFAULT_PORT = "514";

/** RFC 3164 section 4.1.3. */
const MAX_TAG = 32;

/**
 * Reads `syslog:server=…,facility=…,severity=…,tag=…,nohostname`.
 *
 * @throws ConfigError in nginx's words
 */
export function syslogServer(word: string, directive: Directive): SyslogServer {
  const given = parameters(word.slice("syslog:".length).split(","), directive);
  const server = given.get("server");
  if (server === undefined) throw new ConfigError("no syslog server specified", directive);
  return {
    ...address(server, directive),
    facility: facility(given.get("facility") ?? "local7", directive),
    severity: severity(given.get("severity") ?? "info", directive),
    tag: tag(given.get("tag") ?? "nginx", directive),
    hostname: given.has("nohostname") ? null : hostname().toLowerCase(),
  };
}

function address(server: string, directive: Directive): Pick<SyslogServer, "host" | "port"> {
  const where = `syslog server "${server}"`;
  if (!isUnix(server)) return hostAndPort(server, DEFAULT_PORT, where, directive);
  return { host: unixHost(server.slice("unix:".length), refuseIn(where, directive)), port: 0 };
}

/** Each parameter may stand once, except `nohostname`, which nginx accepts any number of times. */
function parameters(words: readonly string[], directive: Directive): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  for (const word of words) {
    const [, name, value = ""] =
      /^(?:(server|facility|severity|tag)=(.*)|nohostname)$/s.exec(word) ??
      unknown(word, directive);
    if (name !== undefined && given.has(name)) {
      throw new ConfigError(`duplicate syslog "${name}"`, directive);
    }
    given.set(name ?? "nohostname", value);
  }
  return given;
}

function unknown(word: string, directive: Directive): never {
  throw new ConfigError(`unknown syslog parameter "${word}"`, directive);
}

function facility(name: string, directive: Directive): number {
  const number = FACILITIES.indexOf(name);
  if (number === -1) throw new ConfigError(`unknown syslog facility "${name}"`, directive);
  return number;
}

function severity(name: string, directive: Directive): LogLevel {
  if (isLogLevel(name)) return name;
  throw new ConfigError(`unknown syslog severity "${name}"`, directive);
}

function tag(word: string, directive: Directive): string {
  if (Buffer.byteLength(word) > MAX_TAG) {
    throw new ConfigError(`syslog tag length exceeds ${MAX_TAG}`, directive);
  }
  if (/^\w*$/.test(word)) return word;
  const allowed = "alphanumeric characters and underscore";
  throw new ConfigError(`syslog "tag" only allows ${allowed}`, directive);
}

/** Replaces the server's name by its first address, as nginx does. */
export function resolveSyslog(syslog: SyslogServer, hosts: Hosts): SyslogServer {
  return { ...syslog, host: hosts.get(syslog.host)?.[0] ?? syslog.host };
}
