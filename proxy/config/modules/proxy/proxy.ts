/** nginx's ngx_mail_proxy_module: the way upstream. */
import { canonicalIp } from "../../../../shared/address.ts";
import { MAIL, type Rows, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";
import { flag, oneOf, size, time, words } from "../../language/values.ts";

const CLIENT_INSTEAD = 'to tell upstreams who the client is, use "proxy_protocol"';

/** `ADDRESS | off [transparent]`, as in ngx_stream_proxy_module; null for `off`. */
function sourceAddress(directive: Directive): string | null {
  const [address = "", parameter] = words(directive);
  if (parameter === undefined && address === "off") return null;
  const invalid = (advice: string | null): ConfigError =>
    new ConfigError(`invalid address "${address}"`, directive, advice);
  if (address.includes("$")) throw invalid(`variables are not supported; ${CLIENT_INSTEAD}`);
  const ip = canonicalIp(address);
  if (ip === null) throw invalid(adviceFor(address));
  if (parameter === "transparent") {
    throw new ConfigError("transparent proxying is not supported", directive, CLIENT_INSTEAD);
  }
  if (parameter !== undefined) throw new ConfigError(`invalid parameter "${parameter}"`, directive);
  return ip;
}

/** nginx takes a port, with which there can be only one connection to each upstream at a time. */
function adviceFor(address: string): string | null {
  const [, host = ""] = /^\[?(.+?)\]?:\d+$/s.exec(address) ?? [];
  return canonicalIp(host) === null
    ? null
    : `the system chooses the port of each connection: write "${host}"`;
}

export const proxy = {
  /** Bytes of one reply of the upstream during the login; afterwards bytes move in pieces of up to 64 KiB. */
  proxy_buffer: { in: MAIL, args: 1, read: once(size), default: 4096 },
  /** As in ngx_stream_proxy_module: our address towards upstreams. */
  proxy_bind: { in: MAIL, args: [1, 2], read: once(sourceAddress), default: null as string | null },
  proxy_socket_keepalive: { in: MAIL, args: 1, read: once(flag), default: false },
  proxy_timeout: { in: MAIL, args: 1, read: once(time), default: 86_400_000 },
  proxy_pass_error_message: { in: MAIL, args: 1, read: once(flag), default: false },
  proxy_smtp_auth: { in: MAIL, args: 1, read: once(flag), default: false },
  /** The PROXY header to the upstream: `on` is version 1. */
  proxy_protocol: {
    in: MAIL,
    args: 1,
    read: once(oneOf("off", "on", "v2")),
    default: "off" as "off" | "on" | "v2",
  },
  /** Ours: tells upstreams that want to know who the client is, by IMAP's ID and by XCLIENT. */
  proxy_client_id: { in: MAIL, args: 1, read: once(flag), default: false },
  /** As in nginx, which accepts it and does nothing with it. */
  proxy: { in: MAIL, args: 1, read: once(flag), default: false },
  xclient: { in: MAIL, args: 1, read: once(flag), default: true },
} satisfies Rows;
