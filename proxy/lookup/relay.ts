/**
 * `auth_http_relay`: a lookup endpoint for a stock nginx on this machine, which speaks plain HTTP only. The relay
 * adds no key; the caller sends its own (`auth_http_header`).
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
import type { HttpEndpoint, HttpExchange, HttpReceiver } from "./http.ts";
import { emptyReply, relayedReply, relayedRequest } from "./relayed.ts";
import { LONGEST_HEAD, type ReplyHead } from "./reply.ts";

/** The endpoint that lookups are passed on to. */
export interface Relay {
  readonly transport: Transport;
  readonly endpoint: HttpEndpoint;
  readonly auth_http: LookupEndpoint;
  readonly auth_http_keepalive: boolean;
  /** ms for a lookup to come, and as much again for its answer. */
  readonly auth_http_timeout: number;
  /** Hears why a lookup could not be answered. */
  readonly failed: (why: string) => void;
}

/** One lookup, and the connection that it came by. */
export class RelayedLookup implements Receiver, Expiring, HttpReceiver {
  readonly #relay: Relay;
  readonly #client: Connection;
  readonly #deadline: Deadline;
  readonly #input = new Input();
  readonly #lines: string[] = [];
  #size = 0;
  /** Set once the request has arrived whole; bytes behind it are ignored. */
  #whole = false;
  #exchange: HttpExchange | null = null;
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
    if (this.#whole) return;
    this.#input.append(bytes);
    try {
      if (this.#read()) this.#ask();
    } catch {
      this.#reply(emptyReply(400));
    }
  }

  drained(): void {}

  /** A client that has sent its request whole still gets the answer. */
  ended(): void {
    if (!this.#whole) this.terminate();
  }

  closed(): void {
    this.#end();
  }

  expired(): void {
    if (!this.#whole) {
      this.terminate();
      return;
    }
    this.#relay.failed(TIMED_OUT);
    this.#reply(emptyReply(504));
  }

  /** A lookup is answered soon, so a shutdown lets it end by itself. */
  shutDown(): void {}

  terminate(): void {
    this.#client.destroy();
    this.#end();
  }

  /** @throws TooLong */
  #read(): boolean {
    for (;;) {
      const line = this.#input.line(LONGEST_HEAD - this.#size);
      if (line === null) return false;
      this.#size += line.length;
      const text = line.replace(/\r?\n$/, "");
      if (text === "") return true;
      this.#lines.push(text);
    }
  }

  #ask(): void {
    const { endpoint, auth_http, auth_http_keepalive, auth_http_timeout } = this.#relay;
    this.#whole = true;
    const text = relayedRequest(this.#lines, auth_http, auth_http_keepalive);
    if (text === null) {
      this.#reply(emptyReply(400));
      return;
    }
    this.#deadline.set(auth_http_timeout);
    this.#exchange = endpoint.ask(text, this);
  }

  replied(head: ReplyHead): void {
    if (head.reply.kind === "unavailable") this.#relay.failed(head.reply.why);
    this.#reply(relayedReply(head));
  }

  failed(error: Error): void {
    this.#relay.failed(reason(error));
    this.#reply(emptyReply(502));
  }

  #reply(reply: string): void {
    this.#whole = true;
    this.#client.write(reply);
    this.#client.close();
    this.#end();
  }

  #end(): void {
    this.#exchange?.cancel();
    this.#deadline.clear();
    this.#onEnd(this);
  }
}
