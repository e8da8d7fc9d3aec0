/** CPU time of a whole session: connect, log in, log out; and how many of them there are in a second. */
import type { ProtocolName } from "../../../shared/lookup.ts";
import type { Load, Security } from "../client.ts";
import type { ServerName } from "../configuration.ts";
import { ONE_WORKER, type Proxies, type Row, type Target, UNLOGGED, measureWork } from "../row.ts";

/** Sessions at once: nginx's waits for delayed ACKs under TLS do not stretch the run. */
const COUNT = 64;

const LOGGED_TARGET: Target = { of: "floor", atMost: 1.3 };
const UNLOGGED_TARGET: Target = { of: "floor", atMost: 1.2 };
const TLS_TARGET: Target = { of: "floor", atMost: 1.2 };

export const sessions: readonly Row[] = [
  session("imap session", "imap", LOGGED_TARGET),
  session("imap session, no access log", "imap", UNLOGGED_TARGET, UNLOGGED),
  session("pop3 session", "pop3", LOGGED_TARGET),
  session("pop3 session, no access log", "pop3", UNLOGGED_TARGET, UNLOGGED),
  // The floor has no SMTP. The target is POP3's ("SMTP like POP3"), so its floor is POP3's as well.
  session("smtp session", "smtp", LOGGED_TARGET),
  session("smtp session, no access log", "smtp", UNLOGGED_TARGET, UNLOGGED),
  session("imap session, TLS, EC", "imaps", TLS_TARGET),
  session("imap session, TLS, EC, resumed", "imaps", TLS_TARGET, ONE_WORKER, "resumed"),
  {
    name: "TLS sessions resumed, of those that could be",
    unit: "%",
    target: { of: null, atLeast: 95 },
    proxies: ONE_WORKER,
    kind: "running",
    async measure(bench, proxy) {
      const work = await measureWork(bench, proxy, "imaps", load("imaps", "resumed"));
      return (work.resumed * 100) / work.offered;
    },
  },
  session("imap session, TLS, RSA", "imapsRsa", null),
  {
    name: "logins a second, TLS",
    unit: "a second",
    target: { of: "nginx", atLeast: 1.6 },
    proxies: ONE_WORKER,
    kind: "running",
    async measure(bench, proxy) {
      const { deeds, ms } = await measureWork(bench, proxy, "imaps", load("imaps", "tls"));
      return (deeds * 1000) / ms;
    },
  },
  session(
    "imap session, two workers",
    "imap",
    { of: "oneWorker", atMost: 1.15 },
    {
      nginx: "nginxTwo",
      oneWorker: "postern",
      postern: "posternTwo",
    },
  ),
];

function session(
  name: string,
  server: ServerName,
  target: Target | null,
  proxies: Proxies = ONE_WORKER,
  security: Security = server.startsWith("imaps") ? "tls" : "clear",
): Row {
  return {
    name,
    unit: "µs CPU",
    target,
    proxies,
    kind: "running",
    async measure(bench, proxy) {
      const served = proxy.name === "floor" && server === "smtp" ? "pop3" : server;
      const { cpu, deeds } = await measureWork(bench, proxy, served, load(served, security));
      return (cpu * 1000) / deeds;
    },
  };
}

function load(server: ServerName, security: Security): Load {
  const protocol: ProtocolName = server === "pop3" || server === "smtp" ? server : "imap";
  return { protocol, security, deed: "sessions", count: COUNT };
}
