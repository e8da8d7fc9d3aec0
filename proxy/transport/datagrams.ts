/** Datagrams on one of Node's UDP sockets. */
import { type Socket, createSocket } from "node:dgram";
import type { Address, Datagrams } from "./connection.ts";

export class SocketDatagrams implements Datagrams {
  readonly #socket: Socket;
  /** Datagrams to send once the socket is connected; null from then on. */
  #waiting: Uint8Array[] | null = [];

  constructor({ host, port }: Address, received: (bytes: Uint8Array) => void) {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    this.#socket = socket;
    socket.on("message", received);
    // An ICMP error says no more than silence: both end in the caller's timeout.
    socket.on("error", () => {});
    // The kernel drops datagrams from other peers of a connected socket, and picks its port at random.
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
