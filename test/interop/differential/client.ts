// The client of a session. Keeps a transcript of both directions, in order.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { replyLength } from "./framing.ts";

/** One version and one cipher, so that the lookup headers about TLS depend on no defaults. */
const tls = {
  maxVersion: "TLSv1.2",
  ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256",
  rejectUnauthorized: false,
} as const;

export class Client {
  readonly #protocol: ProtocolName;
  #socket: Socket;
  #held = "";
  #closed = false;
  #wake = () => {};
  /** Lines sent (`> `) and received (`< `), and the close. */
  readonly transcript: string[] = [];

  private constructor(protocol: ProtocolName, socket: Socket) {
    this.#protocol = protocol;
    this.#socket = socket;
    this.#attach();
  }

  /** @param from an address of this machine */
  static async connect(protocol: ProtocolName, port: number, from: string): Promise<Client> {
    const socket = connect({
      port,
      host: "127.0.0.1",
      localAddress: from,
      allowHalfOpen: true,
      noDelay: true,
    });
    await once(socket, "connect");
    return new Client(protocol, socket);
  }

  get port(): number {
    return this.#socket.localPort ?? 0;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(bytes: string): void {
    this.transcript.push(...lines("> ", bytes));
    this.write(bytes);
  }

  /** Sends bytes that the transcript does not mention. */
  write(bytes: string): void {
    if (!this.#closed && bytes !== "") this.#socket.write(bytes, "latin1");
  }

  /** Waits for a whole reply, or the close. */
  async reply(): Promise<void> {
    let length: number;
    while ((length = replyLength(this.#protocol, this.#held)) === 0) {
      if (this.#closed) return this.#end();
      await this.#more();
    }
    this.#take(length);
  }

  /** Waits for the close. */
  async end(): Promise<void> {
    while (!this.#closed) await this.#more();
    this.#end();
  }

  /** Sends FIN and reads the rest. */
  async leave(): Promise<void> {
    if (this.#closed) return this.#end();
    this.#socket.end();
    await this.end();
  }

  async secure(): Promise<void> {
    if (this.#closed) return;
    this.#socket.removeAllListeners("data");
    const socket = connectTls({ socket: this.#socket, ...tls });
    this.#socket = socket;
    this.#attach();
    // An error closes the socket as well, and the transcript has the close.
    await Promise.race([once(socket, "secureConnect"), once(socket, "close")]).catch(() => {});
    this.transcript.push(this.#closed ? "(TLS refused)" : "(TLS)");
  }

  destroy(): void {
    this.#socket.destroy();
    this.#closed = true;
  }

  #attach(): void {
    const socket = this.#socket;
    const close = () => {
      if (socket !== this.#socket) return;
      this.#closed = true;
      this.#wake();
    };
    socket.on("data", (bytes: Buffer) => {
      this.#held += bytes.toString("latin1");
      this.#wake();
    });
    // A reset is a close, too: the kernel resets a connection that is closed with unread commands.
    socket.on("error", close).on("end", close).on("close", close);
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(length: number): void {
    this.transcript.push(...lines("< ", this.#held.slice(0, length)));
    this.#held = this.#held.slice(length);
  }

  #end(): void {
    this.#take(this.#held.length);
    if (this.transcript.at(-1) !== "(closed)") this.transcript.push("(closed)");
    this.destroy();
  }
}

/** One item for each line, with its line end in escapes. */
export function lines(mark: string, bytes: string): string[] {
  return (bytes.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((line) => mark + visible(line));
}

function visible(line: string): string {
  return JSON.stringify(line).slice(1, -1);
}
