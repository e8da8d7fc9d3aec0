/** The pages of `status_listen`, for monitors and load balancers. None of them needs another server. */
import type { IncomingMessage } from "node:http";
import { parseIp } from "../../../shared/address.ts";
import type { ListSessions } from "../live-session.ts";
import { type Page, type Pages, text } from "./page-server.ts";
import { sessionsPage } from "./sessions-page.ts";

export interface StatusSource {
  /** True while new clients are accepted. */
  ready(): boolean;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  readonly sessions: ListSessions;
}

export function statusPages(status: StatusSource): Pages {
  return {
    "/healthz": { GET: () => text(200, "alive\n") },
    "/readyz": {
      GET: () => (status.ready() ? text(200, "ready\n") : text(503, "not ready\n")),
    },
    "/metrics": {
      GET: async () => ({
        code: 200,
        type: "text/plain; version=0.0.4; charset=utf-8",
        body: await status.metrics(),
      }),
    },
    "/sessions": {
      GET: (request) => (isLocal(request) ? sessionsPage(status.sessions) : FORBIDDEN),
    },
  };
}

/** Names and addresses of users are more private than metrics. */
const FORBIDDEN: Page = text(
  403,
  "only callers on this machine may list sessions, by a loopback address\n",
);

/**
 * True for a caller on this machine that asks for this machine. The name in `Host` is checked because a web page may
 * let its own name resolve to loopback (DNS rebinding). Callers by a unix socket have no address.
 */
function isLocal({ socket: { remoteAddress }, headers: { host } }: IncomingMessage): boolean {
  if (remoteAddress !== undefined && !isLoopback(remoteAddress)) return false;
  const [, name = ""] = /^\[?(.*?)\]?(?::\d+)?$/.exec(host ?? "localhost") ?? [];
  return name.toLowerCase() === "localhost" || isLoopback(name);
}

function isLoopback(host: string): boolean {
  return parseIp(host)?.range() === "loopback";
}
