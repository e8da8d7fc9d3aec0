/**
 * The HTTP client of an `auth_http` endpoint. Connections are kept and used again: nginx opens one for each
 * lookup, which costs a round trip, and with a distant endpoint most of the login's time.
 */
import type { ByteString } from "../../shared/lookup.ts";
import type { LookupEndpoint } from "../config/index.ts";
import { reason } from "../reason.ts";
import {
  type ClientTls,
  type Connection,
  type Deadline,
  type Dial,
  type DialReceiver,
  type Expiring,
  Input,
  PeerClosed,
  type Receiver,
  type ScriptOwner,
  ScriptRunner,
  type TlsReceiver,
  TooLong,
  type Transport,
} from "../transport/index.ts";
import { InvalidReply, LONGEST_HEAD, type ReplyHead, exchange } from "./reply.ts";

export interface EndpointSettings {
  readonly auth_http: LookupEndpoint;
  /** For an `https://` endpoint. */
  readonly tls: ClientTls | null;
  readonly auth_http_keepalive: boolean;
  readonly auth_http_unescape: boolean;
}

export interface HttpReceiver {
  replied(head: ReplyHead): void;
  /** @param error InvalidReply where the endpoint broke HTTP or broke off; any other where it sent no byte */
  failed(error: Error): void;
}

/** A request under way. */
export interface HttpExchange {
  /** The receiver hears nothing more. */
  cancel(): void;
}

/** Connections kept open for the next lookups. */
const MOST_KEPT = 64;

/** ms for a body, which is ignored, to arrive behind its head. */
const BODY_TIME = 10_000;

/** ms after which a kept connection is no longer used: intermediaries close idle connections without a word. */
const LONGEST_IDLE = 30_000;

export class HttpEndpoint {
  readonly settings: EndpointSettings;
  readonly dial: Dial;
  readonly #transport: Transport;
  readonly #kept: KeptConnection[] = [];

  /** @param dial opens a connection to the endpoint */
  constructor(
    transport: Transport,
    settings: EndpointSettings,
    dial: Dial = (to, receiver) => transport.dial(to, receiver),
  ) {
    this.#transport = transport;
    this.settings = settings;
    this.dial = dial;
  }

  /** @param text a request, whole */
  ask(text: ByteString, receiver: HttpReceiver): HttpExchange {
    const begun = new Exchange(this, text, receiver);
    begun.start(this.#take());
    return begun;
  }

  keep(connection: Connection): void {
    // The last connection is used first; so the first is closed here, where a burst has left many.
    const [oldest] = this.#kept;
    if (oldest !== undefined && isTooOld(oldest)) {
      this.#kept.shift();
      this.#transport.spare(oldest.connection, false);
      oldest.connection.close();
    }
    if (this.#kept.length >= MOST_KEPT) connection.close();
    else this.#kept.push(new KeptConnection(connection, this.#kept, this.#transport));
  }

  /** Keeps a connection once the body behind a reply has arrived, and closes it where none may come. */
  reuse(connection: Connection, { body, keepAlive }: ReplyHead, arrived: number): void {
    const keep = this.settings.auth_http_keepalive && keepAlive;
    if (!keep || body === null || body > LONGEST_HEAD || arrived > body) connection.close();
    else if (arrived === body) this.keep(connection);
    else connection.receiver = new BodyReceiver(this, connection, body - arrived, this.#transport);
  }

  #take(): Connection | null {
    for (;;) {
      const kept = this.#kept.pop();
      if (kept === undefined) return null;
      this.#transport.spare(kept.connection, false);
      if (!isTooOld(kept)) return kept.connection;
      kept.connection.close();
    }
  }
}

function isTooOld({ since }: KeptConnection): boolean {
  return performance.now() - since >= LONGEST_IDLE;
}

const CLOSED_UNHEARD = "closed the connection without an answer";
const CLOSED_TOO_EARLY = "closed the connection too early";

class Exchange implements HttpExchange, ScriptOwner<ReplyHead>, DialReceiver, TlsReceiver {
  readonly #endpoint: HttpEndpoint;
  readonly #text: ByteString;
  readonly #receiver: HttpReceiver;
  #connection: Connection | null = null;
  #input = new Input();
  #heard = false;
  #reused = false;
  #over = false;

  constructor(endpoint: HttpEndpoint, text: ByteString, receiver: HttpReceiver) {
    this.#endpoint = endpoint;
    this.#text = text;
    this.#receiver = receiver;
  }

  start(kept: Connection | null): void {
    this.#connection = kept;
    this.#reused = kept !== null;
    if (kept === null) this.#open();
    else this.#send(kept);
  }

  /** After the reply the connection is no longer this exchange's. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection?.destroy();
  }

  #open(): void {
    const { host, port } = this.#endpoint.settings.auth_http;
    try {
      this.#connection = this.#endpoint.dial({ host, port }, this);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  connected(): void {
    const { tls, auth_http } = this.#endpoint.settings;
    if (this.#connection === null) return;
    if (tls === null) this.#send(this.#connection);
    else this.#connection.connectTls(tls, auth_http.host, this);
  }

  secured(): void {
    if (this.#connection !== null) this.#send(this.#connection);
  }

  received(): void {}
  drained(): void {}
  ended(): void {}

  /** No connection came about. */
  closed(error: Error | null): void {
    this.#fail(error ?? new Error(CLOSED_UNHEARD));
  }

  #send(connection: Connection): void {
    const { auth_http_unescape } = this.#endpoint.settings;
    const script = exchange(this.#text, this.#input, auth_http_unescape);
    new ScriptRunner(connection, this.#input, script, this).start();
  }

  heard(): void {
    this.#heard = true;
  }

  finished(head: ReplyHead): void {
    if (this.#over || this.#connection === null) return;
    this.#over = true;
    this.#endpoint.reuse(this.#connection, head, this.#input.length);
    this.#receiver.replied(head);
  }

  failed(error: Error): void {
    this.#connection?.destroy();
    if (this.#over) return;
    if (this.#heard) this.#fail(invalidReply(error));
    // The endpoint had most likely closed a kept connection before it was used; only then is it asked again.
    else if (this.#reused) {
      this.#reused = false;
      this.#input = new Input();
      this.#open();
    } else this.#fail(new Error(CLOSED_UNHEARD));
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#receiver.failed(error);
  }
}

function invalidReply(error: Error): InvalidReply {
  if (error instanceof InvalidReply) return error;
  if (error instanceof TooLong) return new InvalidReply("sent too long response");
  return new InvalidReply(error instanceof PeerClosed ? CLOSED_TOO_EARLY : reason(error));
}

/** Drops the rest of a reply's body; the connection is kept behind it. */
class BodyReceiver implements Receiver, Expiring {
  readonly #endpoint: HttpEndpoint;
  readonly #connection: Connection;
  readonly #deadline: Deadline;
  #left: number;

  constructor(endpoint: HttpEndpoint, connection: Connection, left: number, transport: Transport) {
    this.#endpoint = endpoint;
    this.#connection = connection;
    this.#left = left;
    this.#deadline = transport.deadline(this);
    this.#deadline.set(BODY_TIME);
  }

  received(bytes: Uint8Array): void {
    this.#left -= bytes.length;
    if (this.#left > 0) return;
    this.#deadline.clear();
    if (this.#left === 0) this.#endpoint.keep(this.#connection);
    else this.#connection.close();
  }

  drained(): void {}

  ended(): void {
    this.#deadline.clear();
    this.#connection.close();
  }

  closed(): void {
    this.#deadline.clear();
  }

  expired(): void {
    this.#connection.destroy();
  }
}

/** A connection between two lookups; any event ends it. */
class KeptConnection implements Receiver {
  readonly connection: Connection;
  readonly since = performance.now();
  readonly #siblings: KeptConnection[];
  readonly #transport: Transport;

  constructor(connection: Connection, siblings: KeptConnection[], transport: Transport) {
    this.connection = connection;
    this.#siblings = siblings;
    this.#transport = transport;
    connection.receiver = this;
    transport.spare(connection, true);
  }

  received(): void {
    this.#drop();
  }
  drained(): void {}
  ended(): void {
    this.#drop();
  }
  closed(): void {
    this.#drop();
  }

  #drop(): void {
    const index = this.#siblings.indexOf(this);
    if (index !== -1) this.#siblings.splice(index, 1);
    this.#transport.spare(this.connection, false);
    this.connection.destroy();
  }
}
