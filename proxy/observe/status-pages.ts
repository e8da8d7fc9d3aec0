/** `status_listen`: what monitors and load balancers ask. Nothing here asks anybody outside of Postern. */
import type { IncomingMessage } from "node:http";
import { parseIp } from "../../shared/address.ts";
import type { ListSessions } from "./live-session.ts";
import { type Page, type Pages, text } from "./page-server.ts";
import { sessionsPage } from "./sessions-page.ts";

export interface Status {
  /** Whether new clients are welcome. */
  ready(): boolean;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  readonly sessions: ListSessions;
}

export function statusPages(status: Status): Pages {
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
      GET: (request) => (isLocal(request) ? sessionsPage(status.sessions) : NOT_YOURS),
    },
  };
}

/** Who is logged in, and from where, is not for everybody who may see metrics. */
const NOT_YOURS: Page = text(
  403,
  "sessions are told to callers of this machine only, by a loopback address\n",
);

/**
 * Whether the caller is of this machine, and means it: a page from elsewhere can have its own name lead a
 * browser here. A unix socket's callers have no address.
 */
function isLocal({ socket: { remoteAddress }, headers: { host } }: IncomingMessage): boolean {
  if (remoteAddress !== undefined && !isLoopback(remoteAddress)) return false;
  const [, name = ""] = /^\[?(.*?)\]?(?::\d+)?$/.exec(host ?? "localhost") ?? [];
  return name.toLowerCase() === "localhost" || isLoopback(name);
}

function isLoopback(host: string): boolean {
  return parseIp(host)?.range() === "loopback";
}
