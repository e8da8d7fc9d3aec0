// Stands between a proxy and the worker as the lookup endpoint: what the network and D1's replicas do to replies.
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fetchAnew } from "../http/http.ts";

/** The fate of a lookup. */
type Behaviour =
  | "passes"
  /** The directory's replica has not seen any change since the first reply to a request; it waits for a bookmark. */
  | "lags"
  /** Likewise, and the bookmark does not help. */
  | "lags for ever"
  /** A 503 with words. */
  | "is busy"
  /** A bare 503. */
  | "is away"
  /** The connection is cut. */
  | "is cut";

interface Kept {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
}

export interface LookupFront {
  readonly origin: string;
  behaviour: Behaviour;
  /** True while the headers about the user's version are left out, as by an endpoint that has none. */
  isAnonymous: boolean;
  /** The lookups so far, each by its bookmark; null for none. */
  readonly asked: readonly (string | null)[];
  /** Holds the next reply of the worker back. @returns settles when there is one, with a function that lets it go */
  hold(): Promise<() => void>;
  close(): Promise<void>;
}

export async function startLookupFront(worker: URL): Promise<LookupFront> {
  const first = new Map<string, Kept>();
  const asked: (string | null)[] = [];
  let holding: ((release: () => void) => void) | null = null;

  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const front: LookupFront = {
    origin: `http://127.0.0.1:${port}`,
    behaviour: "passes",
    isAnonymous: false,
    asked,
    hold: () => new Promise((held) => (holding = held)),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return front;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { behaviour } = front;
    const { "auth-directory-bookmark": bookmark, "auth-protocol": protocol } = request.headers;
    asked.push(bookmark === undefined ? null : String(bookmark));
    if (behaviour === "is cut") request.socket.destroy();
    else if (behaviour === "is away") response.writeHead(503).end();
    else if (behaviour === "is busy") {
      const words = protocol === "imap" ? "[UNAVAILABLE] Busy" : "Busy";
      response.writeHead(503, { "Auth-Status": words, "Cache-Control": "no-store" }).end();
    } else {
      const reply = await fromDirectory(request, behaviour, bookmark !== undefined);
      await released();
      const headers = reply.headers.filter(([name]) => !(front.isAnonymous && isOfUser(name)));
      response.writeHead(reply.status, Object.fromEntries(headers)).end();
    }
  }

  async function fromDirectory(
    { url = "", headers }: IncomingMessage,
    behaviour: Behaviour,
    isRepeated: boolean,
  ): Promise<Kept> {
    const key = JSON.stringify([headers["auth-user"], headers["auth-pass"]]);
    const kept = first.get(key);
    const lags = behaviour === "lags for ever" || (behaviour === "lags" && !isRepeated);
    if (lags && kept !== undefined) return kept;
    const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
    const reply = await fetchAnew(new URL(url, worker), { headers: Object.fromEntries(fields) });
    const now = { status: reply.status, headers: [...reply.headers] };
    if (kept === undefined) first.set(key, now);
    return now;
  }

  async function released(): Promise<void> {
    const tell = holding;
    holding = null;
    if (tell !== null) await new Promise<void>((release) => tell(release));
  }
}

function isOfUser(name: string): boolean {
  return name === "auth-user-id" || name === "auth-user-version";
}
