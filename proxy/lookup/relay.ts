/**
 * `auth_http_relay`: a lookup endpoint for a stock nginx on this machine, which can ask over plain HTTP alone.
 * It adds no key; the caller sends its own (`auth_http_header`).
 */
import { TIMED_OUT, reason } from "../reason.ts";
import type { LookupEndpoint } from "../config/index.ts";
import {
  type Connection,
  type Deadline,
  type Expiring,
  Input,
  type Receiver,
  type Transport,
} from "../transport/index.ts";
import type { Endpoint } from "./endpoint.ts";
import { emptyReply, relayedReply, relayedRequest } from "./relayed.ts";
import { LONGEST_HEAD } from "./reply.ts";

/** Where lookups are passed on to. */
export interface Relay {
  readonly transport: Transport;
  readonly endpoint: Endpoint;
  readonly auth_http: LookupEndpoint;
  readonly auth_http_keepalive: boolean;
  /** ms for a lookup to come, and as much again for its answer. */
  readonly auth_http_timeout: number;
  /** Hears why a lookup could not be answered. */
  readonly failed: (why: string) => void;
}

/** One lookup, and the connection that it came by. */
export class RelayedLookup implements Receiver, Expiring {
  readonly #relay: Relay;
  readonly #client: Connection;
  readonly #deadline: Deadline;
  readonly #controller = new AbortController();
  readonly #input = new Input();
  readonly #lines: string[] = [];
  #size = 0;
  #asked = false;
  readonly #onEnd: (lookup: RelayedLookup) => void;

  constructor(relay: Relay, client: Connection, onEnd: (lookup: RelayedLookup) => void) {
    this.#relay = relay;
    this.#client = client;
    this.#onEnd = onEnd;
    this.#deadline = relay.transport.deadline(this);
    this.#deadline.set(relay.auth_http_timeout);
    client.receiver = this;
    client.resume();
  }

  received(bytes: Uint8Array): void {
    // Whatever follows a lookup is no part of it.
    if (this.#asked) return;
    this.#input.append(bytes);
    try {
      if (this.#whole()) void this.#ask();
    } catch {
      this.#say(emptyReply(400));
    }
  }

  drained(): void {}

  /** One that has said all still gets its answer. */
  ended(): void {
    if (!this.#asked) this.terminate();
  }

  closed(): void {
    this.#controller.abort(new Error("the caller has left"));
    this.#end();
  }

  expired(): void {
    if (this.#asked) this.#controller.abort(new DOMException(TIMED_OUT, "TimeoutError"));
    else this.terminate();
  }

  /** A lookup is answered soon. */
  shutDown(): void {}

  terminate(): void {
    this.#controller.abort(new Error("the server was stopped"));
    this.#client.destroy();
    this.#end();
  }

  /** @throws TooLong */
  #whole(): boolean {
    for (;;) {
      const line = this.#input.line(LONGEST_HEAD - this.#size);
      if (line === null) return false;
      this.#size += line.length;
      const text = line.replace(/\r?\n$/, "");
      if (text === "") return true;
      this.#lines.push(text);
    }
  }

  async #ask(): Promise<void> {
    const { endpoint, auth_http, auth_http_keepalive, auth_http_timeout, failed } = this.#relay;
    this.#asked = true;
    const text = relayedRequest(this.#lines, auth_http, auth_http_keepalive);
    if (text === null) {
      this.#say(emptyReply(400));
      return;
    }
    this.#deadline.set(auth_http_timeout);
    const { signal } = this.#controller;
    try {
      const head = await endpoint.ask(text, signal);
      if (head.answer.kind === "unavailable") failed(head.answer.why);
      this.#say(relayedReply(head));
    } catch (error) {
      const timedOut = signal.reason instanceof DOMException;
      if (signal.aborted && !timedOut) return;
      failed(timedOut ? TIMED_OUT : reason(error));
      this.#say(emptyReply(timedOut ? 504 : 502));
    }
  }

  #say(reply: string): void {
    this.#asked = true;
    this.#client.write(reply);
    this.#client.close();
    this.#end();
  }

  #end(): void {
    this.#deadline.clear();
    this.#onEnd(this);
  }
}
