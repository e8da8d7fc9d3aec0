// A listening port that a test can close, open again and ask about its connections.
import { EventEmitter, once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class Listener extends EventEmitter<{ connection: [Socket] }> {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly host: string;
  port = 0;
  /** Connections accepted, and logins granted, since the start. */
  connections = 0;
  logins = 0;
  /** Each command line received, with passwords: for tests, never printed. */
  readonly lines: string[] = [];

  constructor(host: string) {
    super();
    this.host = host;
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.connections++;
      this.#open.add(socket);
      socket.on("close", () => this.#open.delete(socket));
      socket.on("error", () => socket.destroy());
      this.emit("connection", socket);
    });
  }

  get up(): boolean {
    return this.#server.listening;
  }

  /** Connections open now. */
  get open(): number {
    return this.#open.size;
  }

  /** @param at a port, 0 for any, or the path of a unix socket */
  async listen(at: number | string): Promise<void> {
    // Workers run as another user, and must be able to connect.
    if (typeof at === "string") this.#server.listen({ path: at, writableAll: true });
    else this.#server.listen(at, this.host);
    await once(this.#server, "listening");
    if (typeof at === "number") this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and cuts every connection; `listen` may follow. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }
}
