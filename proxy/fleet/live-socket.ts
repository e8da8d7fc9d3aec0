/** One WebSocket to the worker, with pings that find out whether the worker still answers. */
import { PING, PONG, type Presence } from "../../shared/fleet.ts";
import type { FleetSettings } from "../config/index.ts";
import { headersFor } from "./requests.ts";

export interface LiveSocketListener {
  opened(): void;
  received(data: unknown): void;
  /** Called once, as the last event. */
  lost(): void;
}

export class LiveSocket {
  readonly #socket: WebSocket;
  readonly #listener: LiveSocketListener;
  readonly #pings: NodeJS.Timeout;
  /** True if a message has come since the last ping. */
  #isAlive = true;
  #isClosed = false;

  /** @param pingInterval ms between two pings, and for the answer to the handshake or to a ping */
  constructor(settings: FleetSettings, listener: LiveSocketListener, pingInterval: number) {
    this.#listener = listener;
    this.#socket = new WebSocket(`${settings.url}/live`, { headers: headersFor(settings) });
    this.#socket.addEventListener("open", () => this.#opened());
    this.#socket.addEventListener("message", ({ data }) => this.#received(data));
    // An "error" event carries no reason, and "close" follows it.
    this.#socket.addEventListener("close", () => this.#lose());
    this.#pings = setInterval(() => this.#ping(), pingInterval);
  }

  /** Does nothing while the socket is not open. */
  send(presence: Presence): void {
    this.#send(JSON.stringify(presence));
  }

  /** No event comes any more. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#pings);
    this.#socket.close();
  }

  #opened(): void {
    this.#isAlive = true;
    if (!this.#isClosed) this.#listener.opened();
  }

  #received(data: unknown): void {
    this.#isAlive = true;
    if (!this.#isClosed && data !== PONG) this.#listener.received(data);
  }

  #ping(): void {
    if (!this.#isAlive) this.#lose();
    this.#isAlive = false;
    this.#send(PING);
  }

  #lose(): void {
    if (this.#isClosed) return;
    this.close();
    this.#listener.lost();
  }

  #send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }
}
