/** A proxy's end of the fleet's live line, as a test holds it. */
import { once } from "node:events";
import type { Presence } from "../../../shared/fleet.ts";

/** A message of the worker, parsed. */
export type Said = Readonly<Record<string, unknown>>;

export const PRESENCE: Presence = {
  host: "mx1.example.test",
  version: "1.2.3",
  sessions: 7,
  heard: null,
  age: 0,
};

export class TestLine {
  readonly #socket: WebSocket;
  readonly #said: Said[] = [];
  #news = Promise.withResolvers<void>();
  /** Settles when it is down. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.#said.push(JSON.parse(String(data)) as Said);
      this.#news.resolve();
    });
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
    });
  }

  /** @throws Error where it is not opened */
  static async open(origin: string, key: string): Promise<TestLine> {
    const headers = { Authorization: `Bearer ${key}` };
    const socket = new WebSocket(`${origin}/fleet/live`, { headers });
    const line = new TestLine(socket);
    await Promise.race([
      once(socket, "open"),
      once(socket, "error").then(([event]) => {
        throw new Error("it is not opened", { cause: event });
      }),
    ]);
    return line;
  }

  say(presence: Partial<Presence> | string): void {
    const text =
      typeof presence === "string" ? presence : JSON.stringify({ ...PRESENCE, ...presence });
    this.#socket.send(text);
  }

  /** The next thing that the worker says. */
  async next(): Promise<Said> {
    while (this.#said.length === 0) {
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
    return this.#said.shift()!;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }
}
