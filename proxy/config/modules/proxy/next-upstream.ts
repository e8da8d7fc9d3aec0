/** Getting through to an upstream. Ours, with the names that nginx's stream proxy and upstream modules have. */
import { MAIL, type Rows, once } from "../../language/row.ts";
import { flag, number, time } from "../../language/values.ts";

export const nextUpstream = {
  /** ms for a server's name, its connection and TLS, and never beyond `timeout`. */
  proxy_connect_timeout: { in: MAIL, args: 1, read: once(time), default: 60_000 },
  /** Whether another server of the lookup's, or another address of the same one, is tried in place of one that fails. */
  proxy_next_upstream: { in: MAIL, args: 1, read: once(flag), default: true },
  /** How many in all, and how long after the first it may begin, ms; 0 for no limit. */
  proxy_next_upstream_tries: { in: MAIL, args: 1, read: once(number), default: 0 },
  proxy_next_upstream_timeout: { in: MAIL, args: 1, read: once(time), default: 0 },
  /** Failures within `fail_timeout` after which a server is tried last, for as long; 0 for never. */
  max_fails: { in: MAIL, args: 1, read: once(number), default: 1 },
  fail_timeout: { in: MAIL, args: 1, read: once(time), default: 10_000 },
} satisfies Rows;
