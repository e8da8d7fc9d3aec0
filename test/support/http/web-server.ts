/** A web server on a free port of this machine, for what comes between a program and its API. */
import { once } from "node:events";
import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface WebServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
}

export async function startWebServer(answer: RequestListener): Promise<WebServer> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
