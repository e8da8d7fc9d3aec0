/** nginx's ngx_mail_proxy_module: connections to upstreams. */
import { canonicalIp } from "../../../../shared/address.ts";
import { MAIL, type Rows, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";
import { flag, oneOf, size, time, words } from "../../language/values.ts";

const USE_PROXY_PROTOCOL = 'to tell upstreams the client\'s address, use "proxy_protocol"';

/** Reads `ADDRESS | off [transparent]`, as ngx_stream_proxy_module does. @returns null for `off` */
function sourceAddress(directive: Directive): string | null {
  const [address = "", parameter] = words(directive);
  if (parameter === undefined && address === "off") return null;
  const invalid = (advice: string | null): ConfigError =>
    new ConfigError(`invalid address "${address}"`, directive, advice);
  if (address.includes("$")) throw invalid(`variables are not supported; ${USE_PROXY_PROTOCOL}`);
  const ip = canonicalIp(address);
  if (ip === null) throw invalid(adviceFor(address));
  if (parameter === "transparent") {
    throw new ConfigError("transparent proxying is not supported", directive, USE_PROXY_PROTOCOL);
  }
  if (parameter !== undefined) throw new ConfigError(`invalid parameter "${parameter}"`, directive);
  return ip;
}

/** Advises against a port, which nginx accepts: with one, each upstream can have only one connection at a time. */
function adviceFor(address: string): string | null {
  const [, host = ""] = /^\[?(.+?)\]?:\d+$/s.exec(address) ?? [];
  return canonicalIp(host) === null
    ? null
    : `the system chooses the port of each connection: write "${host}"`;
}

export const proxy = {
  /** Most bytes of one upstream reply during the login. Later, bytes move in chunks of up to 64 KiB. */
  proxy_buffer: { in: MAIL, args: 1, read: once(size), default: 4096 },
  /** The local address of connections to upstreams, as in ngx_stream_proxy_module. */
  proxy_bind: { in: MAIL, args: [1, 2], read: once(sourceAddress), default: null as string | null },
  proxy_socket_keepalive: { in: MAIL, args: 1, read: once(flag), default: false },
  proxy_timeout: { in: MAIL, args: 1, read: once(time), default: 86_400_000 },
  proxy_pass_error_message: { in: MAIL, args: 1, read: once(flag), default: false },
  proxy_smtp_auth: { in: MAIL, args: 1, read: once(flag), default: false },
  /** The version of the PROXY header to upstreams; `on` is version 1. */
  proxy_protocol: {
    in: MAIL,
    args: 1,
    read: once(oneOf("off", "on", "v2")),
    default: "off" as "off" | "on" | "v2",
  },
  /** Ours: sends the client's address to upstreams that accept it, by IMAP's ID and by XCLIENT. */
  proxy_client_id: { in: MAIL, args: 1, read: once(flag), default: false },
  /** Has no effect, as in nginx. */
  proxy: { in: MAIL, args: 1, read: once(flag), default: false },
  xclient: { in: MAIL, args: 1, read: once(flag), default: true },
} satisfies Rows;
