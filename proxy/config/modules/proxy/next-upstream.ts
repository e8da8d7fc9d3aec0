/** Ours: failover between upstreams, with the names of nginx's stream proxy and upstream modules. */
import { MAIL, type Rows, once } from "../../language/row.ts";
import { flag, number, time } from "../../language/values.ts";

export const nextUpstream = {
  /** ms for the look-up of a server's name, its connection and TLS; never longer than `timeout`. */
  proxy_connect_timeout: { in: MAIL, args: 1, read: once(time), default: 60_000 },
  /** Tries the lookup's other servers, and other addresses of the same server, after one fails. */
  proxy_next_upstream: { in: MAIL, args: 1, read: once(flag), default: true },
  /** Most tries in all; 0 for no limit. */
  proxy_next_upstream_tries: { in: MAIL, args: 1, read: once(number), default: 0 },
  /** ms after the first try in which another may begin; 0 for no limit. */
  proxy_next_upstream_timeout: { in: MAIL, args: 1, read: once(time), default: 0 },
  /** Failures within `fail_timeout` after which a server is tried last for that time; 0 for never. */
  max_fails: { in: MAIL, args: 1, read: once(number), default: 1 },
  fail_timeout: { in: MAIL, args: 1, read: once(time), default: 10_000 },
} satisfies Rows;
