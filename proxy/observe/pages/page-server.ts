/** An HTTP server for operators and their programs: a few pages, each under its path. */
import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { reason } from "../../reason.ts";
import { type BoundSocket, acceptOn } from "../../transport/index.ts";

export interface Page {
  readonly code: number;
  readonly type: string;
  /** In pieces where it may be long. Each piece is made once the one before has gone out. */
  readonly body: string | AsyncIterable<string>;
}

type PageHandler = (request: IncomingMessage, query: URLSearchParams) => Page | Promise<Page>;

/** Handlers by path and method. */
export type Pages = Readonly<
  Record<string, Readonly<Partial<Record<"GET" | "DELETE", PageHandler>>>>
>;

/** ms for a request to arrive. */
const REQUEST_TIMEOUT = 10_000;

export function text(code: number, body: string): Page {
  return { code, type: "text/plain; charset=utf-8", body };
}

export class PageServer {
  readonly #server: Server;

  /** @param failed hears why the socket cannot be accepted from */
  constructor(socket: BoundSocket, backlog: number, pages: Pages, failed: (error: Error) => void) {
    this.#server = new Server({ requestTimeout: REQUEST_TIMEOUT, headersTimeout: REQUEST_TIMEOUT });
    this.#server.on("error", failed);
    this.#server.on("request", (request, response) => void serve(pages, request, response));
    acceptOn(this.#server, socket, backlog);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function serve(
  pages: Pages,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader("Cache-Control", "no-store");
  try {
    await send(response, await answer(pages, request));
  } catch (error) {
    if (response.headersSent) response.destroy();
    else await send(response, text(500, `${reason(error)}\n`));
  }
}

function answer(pages: Pages, request: IncomingMessage): Page | Promise<Page> {
  const { method, url = "" } = request;
  const [, path = "", query = ""] = /^([^?]*)\??(.*)$/s.exec(url) ?? [];
  const methods = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (methods === undefined) return text(404, "no such page\n");
  const wanted = method === "HEAD" ? "GET" : method;
  const page = wanted === "GET" || wanted === "DELETE" ? methods[wanted] : undefined;
  if (page === undefined)
    return text(405, `only ${Object.keys(methods).join(" and ")} is allowed\n`);
  return page(request, new URLSearchParams(query));
}

async function send(response: ServerResponse, { code, type, body }: Page): Promise<void> {
  response.writeHead(code, { "Content-Type": type });
  if (typeof body === "string") response.end(body);
  else await pipeline(body, response);
}
