// A client that sends any bytes, in the segments that a test wants. Text is one character a byte.
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { setTimeout as pause } from "node:timers/promises";

/** ms between two segments, so that the peer reads them one by one. */
const BETWEEN = 5;

export class RawClient {
  readonly socket: Socket;
  /** The port by which the access log names the client. */
  readonly port: number;
  /** The port that it has connected to. */
  readonly to: number;
  /** All that has arrived. */
  text = "";
  /** Settles with all that has arrived once the connection is over, by whichever end. */
  readonly closed: Promise<string>;

  private constructor(socket: Socket, port: number, to: number) {
    this.socket = socket;
    this.port = port;
    this.to = to;
    socket.setEncoding("latin1").on("data", (text: string) => (this.text += text));
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.once("close", () => resolve(this.text)));
  }

  /** @param localAddress of loopback */
  static async connect(port: number, localAddress = "127.0.0.1"): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    await once(socket.setNoDelay(), "connect");
    return new RawClient(socket, socket.localPort ?? 0, port);
  }

  /** @throws the error of a failed handshake */
  static async connectTls(port: number, options: ConnectionOptions = {}): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1" }).setNoDelay();
    await once(socket, "connect");
    const { localPort = 0 } = socket;
    const secured = connectTls({ socket, rejectUnauthorized: false, ...options });
    await once(secured, "secureConnect");
    return new RawClient(secured, localPort, port);
  }

  /** Begins TLS on this connection, which is read through the returned client from now on. */
  async startTls(options: ConnectionOptions = {}): Promise<RawClient> {
    this.socket.removeAllListeners("data");
    const secured = connectTls({ socket: this.socket, rejectUnauthorized: false, ...options });
    secured.on("error", () => {});
    await once(secured, "secureConnect");
    return new RawClient(secured, this.port, this.to);
  }

  /** Sends each piece in a segment of its own. */
  async send(...pieces: readonly string[]): Promise<void> {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await pause(BETWEEN);
      this.socket.write(piece, "latin1");
    }
  }

  /** Waits until what has arrived matches. @throws Error where the connection ends before */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) {
      if (this.socket.destroyed || this.socket.readableEnded) {
        throw new Error(`no ${pattern} in: ${JSON.stringify(this.text)}`);
      }
      const waiting = new AbortController();
      const { signal } = waiting;
      const events = ["data", "end", "close"].map((event) => once(this.socket, event, { signal }));
      await Promise.race(events).finally(() => waiting.abort());
    }
    return this.text;
  }

  /** Sends RST. A socket whose FIN is under way takes none from Node, which would never report its end. */
  reset(): void {
    if (this.socket.readableEnded || this.socket.writableEnded) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** Closes the connection, and waits until it is over. */
  async leave(): Promise<string> {
    this.socket.destroySoon();
    return this.closed;
  }
}

/** The ways to split bytes into two segments, before each byte but the first. */
export function splits(bytes: string): readonly [string, string][] {
  return Array.from({ length: bytes.length - 1 }, (_, at) => [
    bytes.slice(0, at + 1),
    bytes.slice(at + 1),
  ]);
}
