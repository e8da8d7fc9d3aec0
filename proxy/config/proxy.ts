/** nginx's ngx_mail_proxy_module: the way upstream. */
import { MAIL, type Rows, once } from "./directive.ts";
import { flag, oneOf, size, time } from "./values.ts";

export const proxy = {
  /** Bytes of one reply of the upstream during the login; afterwards bytes move in pieces of up to 64 KiB. */
  proxy_buffer: { in: MAIL, args: 1, read: once(size), default: 4096 },
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
