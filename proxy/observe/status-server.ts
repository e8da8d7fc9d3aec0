/** `status_listen`: what monitors and load balancers ask, over HTTP. Nothing here asks anybody outside of Postern. */
import { Server, type ServerResponse } from "node:http";
import { type BoundSocket, acceptOn } from "../transport/index.ts";

export interface Status {
  /** Whether new clients are welcome. */
  ready(): boolean;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
}

/** ms that a caller has to ask. */
const PATIENCE = 10_000;

/** What there is to see, by path. */
const PAGES: Readonly<Record<string, (status: Status) => Page | Promise<Page>>> = {
  "/healthz": () => text(200, "alive\n"),
  "/readyz": (status) => (status.ready() ? text(200, "ready\n") : text(503, "not ready\n")),
  "/metrics": async (status) => ({
    code: 200,
    type: "text/plain; version=0.0.4; charset=utf-8",
    body: await status.metrics(),
  }),
};

interface Page {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

function text(code: number, body: string): Page {
  return { code, type: "text/plain; charset=utf-8", body };
}

export class StatusServer {
  readonly #server: Server;

  /** @param failed hears why nobody can be answered */
  constructor(
    socket: BoundSocket,
    backlog: number,
    status: Status,
    failed: (error: Error) => void,
  ) {
    this.#server = new Server({ requestTimeout: PATIENCE, headersTimeout: PATIENCE });
    this.#server.on("error", failed);
    this.#server.on("request", ({ method, url = "" }, response) => {
      response.setHeader("Cache-Control", "no-store");
      if (method === "GET" || method === "HEAD") void answer(url, status, response);
      else send(response, text(405, "only GET\n"));
    });
    acceptOn(this.#server, socket, backlog);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function answer(url: string, status: Status, response: ServerResponse): Promise<void> {
  const path = url.replace(/\?.*$/s, "");
  const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
  try {
    send(response, (await page?.(status)) ?? text(404, "there is nothing here\n"));
  } catch (error) {
    send(response, text(500, `${error instanceof Error ? error.message : String(error)}\n`));
  }
}

function send(response: ServerResponse, { code, type, body }: Page): void {
  response.writeHead(code, { "Content-Type": type }).end(body);
}
