/** Datagrams on one of Node's UDP sockets. */
import { type Socket, createSocket } from "node:dgram";
import type { Address, Datagrams } from "./connection.ts";

export class SocketDatagrams implements Datagrams {
  readonly #socket: Socket;
  /** Sent once the socket is connected; null from then on. */
  #waiting: Uint8Array[] | null = [];

  constructor({ host, port }: Address, received: (bytes: Uint8Array) => void) {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    this.#socket = socket;
    socket.on("message", received);
    // A peer that is not there (ICMP) says as little as one that is silent.
    socket.on("error", () => {});
    // Connected, so that the kernel drops what comes from elsewhere; from a port that it picks at random.
    socket.once("connect", () => {
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      for (const bytes of waiting) this.send(bytes);
    });
    socket.connect(port, host);
  }

  send(bytes: Uint8Array): void {
    if (this.#waiting === null) this.#socket.send(bytes, () => {});
    else this.#waiting.push(bytes);
  }

  close(): void {
    this.#waiting = [];
    this.#socket.close();
  }
}
