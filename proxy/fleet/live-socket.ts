/** One WebSocket to the worker, and the pings that tell whether anybody is still at its other end. */
import { PING, PONG, type Presence } from "../../shared/fleet.ts";
import type { FleetSettings } from "../config/index.ts";
import { headersFor } from "./requests.ts";

export interface LiveSocketListener {
  opened(): void;
  heard(data: unknown): void;
  /** Once, and nothing comes after it. */
  lost(): void;
}

export class LiveSocket {
  readonly #socket: WebSocket;
  readonly #listener: LiveSocketListener;
  readonly #beat: NodeJS.Timeout;
  /** Whether something has come since the last beat. */
  #alive = true;
  #over = false;

  /** @param beat ms between two pings, and until the answer to one, or to our call, must be there */
  constructor(settings: FleetSettings, listener: LiveSocketListener, beat: number) {
    this.#listener = listener;
    this.#socket = new WebSocket(`${settings.url}/live`, { headers: headersFor(settings) });
    this.#socket.addEventListener("open", () => this.#opened());
    this.#socket.addEventListener("message", ({ data }) => this.#hear(data));
    // What has gone wrong it does not say.
    this.#socket.addEventListener("close", () => this.#lose());
    this.#beat = setInterval(() => this.#check(), beat);
  }

  /** Before it is open, or when it no longer is, nothing is said. */
  say(presence: Presence): void {
    this.#send(JSON.stringify(presence));
  }

  /** Nothing more is heard. */
  close(): void {
    this.#over = true;
    clearInterval(this.#beat);
    this.#socket.close();
  }

  #opened(): void {
    this.#alive = true;
    if (!this.#over) this.#listener.opened();
  }

  #hear(data: unknown): void {
    this.#alive = true;
    if (!this.#over && data !== PONG) this.#listener.heard(data);
  }

  #check(): void {
    if (!this.#alive) this.#lose();
    this.#alive = false;
    this.#send(PING);
  }

  #lose(): void {
    if (this.#over) return;
    this.close();
    this.#listener.lost();
  }

  #send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }
}
