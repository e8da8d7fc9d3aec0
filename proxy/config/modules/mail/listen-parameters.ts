/** The parameters behind the address of a `listen`. */
import { ConfigError } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";
import { bytes, seconds } from "../../language/values.ts";

/** TCP keep-alive; 0 for the system's default. */
interface KeepAlive {
  /** Seconds of silence before the first probe, and between probes. */
  readonly idle: number;
  readonly interval: number;
  /** Unanswered probes until the connection is closed. */
  readonly count: number;
}

export interface ListenParameters {
  /** TLS from the first byte (RFC 8314 section 3.3). */
  readonly ssl: boolean;
  /** True where each connection begins with a PROXY header. */
  readonly proxyProtocol: boolean;
  /** Connections that the kernel completes before Postern accepts them. */
  readonly backlog: number;
  /** True where an IPv6 socket does not accept IPv4. */
  readonly ipv6only: boolean;
  /** Null for none. */
  readonly keepAlive: KeepAlive | null;
}

/** nginx's defaults, except for the backlog, which is 511 in nginx. */
const DEFAULTS: ListenParameters = {
  ssl: false,
  proxyProtocol: false,
  backlog: 1024,
  ipv6only: true,
  keepAlive: null,
};

type Given = Partial<ListenParameters>;

/** `bind` is accepted without effect: Postern always binds, and Linux refuses a socket beside that of all addresses. */
const WORDS: ReadonlyMap<string, Given> = new Map<string, Given>([
  ["ssl", { ssl: true }],
  ["proxy_protocol", { proxyProtocol: true }],
  ["ipv6only=on", { ipv6only: true }],
  ["ipv6only=off", { ipv6only: false }],
  ["so_keepalive=on", { keepAlive: { idle: 0, interval: 0, count: 0 } }],
  ["so_keepalive=off", { keepAlive: null }],
  ["bind", {}],
  ["multipath", {}],
]);

/** The reader of each `NAME=`, which returns null for a wrong value, and nginx's error for it. */
const VALUES: readonly (readonly [
  start: string,
  read: (value: string) => Given | null,
  complaint: (value: string) => string,
])[] = [
  ["backlog=", backlog, (value) => `invalid backlog "backlog=${value}"`],
  ["rcvbuf=", bufferSize, (value) => `invalid rcvbuf "rcvbuf=${value}"`],
  ["sndbuf=", bufferSize, (value) => `invalid sndbuf "sndbuf=${value}"`],
  ["ipv6only=o", () => null, (value) => `invalid ipv6only flags "o${value}"`],
  ["so_keepalive=", keepAlive, (value) => `invalid so_keepalive value: "${value}"`],
];

/** Parameters that Node cannot set. */
const UNAVAILABLE = ["rcvbuf", "sndbuf", "multipath"];

export function listenParameters(given: readonly string[], directive: Directive): ListenParameters {
  return given.reduce((known, word) => ({ ...known, ...parameter(word, directive) }), DEFAULTS);
}

function parameter(word: string, directive: Directive): Given {
  const plain = WORDS.get(word);
  if (plain !== undefined) return plain;
  const row = VALUES.find(([start]) => word.startsWith(start));
  if (row === undefined) throw new ConfigError(`invalid parameter "${word}"`, directive);
  const [start, read, complaint] = row;
  const value = word.slice(start.length);
  const result = read(value);
  if (result === null) throw new ConfigError(complaint(value), directive);
  return result;
}

/** The notice about parameters that Node cannot set. */
export function parametersNotice({ args }: Directive): string | null {
  const [, ...given] = args;
  const asked = UNAVAILABLE.filter((name) => given.some((word) => word.split("=")[0] === name));
  if (asked.length === 0) return null;
  return `ignores ${asked.join(" and ")}: Node cannot set this`;
}

/** The kernel counts in 32 bits. */
function backlog(value: string): Given | null {
  const count = /^\d+$/.test(value) ? Number(value) : 0;
  return count >= 1 && count < 2 ** 31 ? { backlog: count } : null;
}

function bufferSize(value: string): Given | null {
  return Number.isSafeInteger(bytes(value)) ? {} : null;
}

/** Reads `[IDLE]:[INTVL]:[CNT]`. 0 means the default, but one of the three must be above it. */
function keepAlive(value: string): Given | null {
  const parts = value.split(":");
  const [idle = 0, interval = 0, count = 0] = parts.map((part, index) => {
    if (part === "") return 0;
    return index < 2 ? seconds(part) : /^\d+$/.test(part) ? Number(part) : Number.NaN;
  });
  const sum = idle + interval + count;
  return parts.length > 3 || !(sum > 0) ? null : { keepAlive: { idle, interval, count } };
}
