/**
 * The way to an `auth_http` endpoint. Connections are kept and used again: nginx opens one for each
 * lookup, which costs a round trip, and with a distant endpoint most of the login's time.
 */
import type { ByteString } from "../../shared/lookup.ts";
import type { LookupEndpoint } from "../config/index.ts";
import { reason } from "../reason.ts";
import type { Dial } from "../upstream/index.ts";
import {
  type ClientTls,
  type Connection,
  type Deadline,
  type Expiring,
  Input,
  type Receiver,
  type Transport,
  TooLong,
  orGiveUp,
} from "../transport/index.ts";
import { type Head, HeadReader, InvalidReply, LONGEST_HEAD } from "./reply.ts";

export interface EndpointSettings {
  readonly auth_http: LookupEndpoint;
  /** For an `https://` endpoint. */
  readonly tls: ClientTls | null;
  readonly auth_http_keepalive: boolean;
  readonly auth_http_unescape: boolean;
}

/** Connections kept open for the next lookups. */
const MOST_IDLE = 64;

/** ms for a body, which says nothing, to come after its head. */
const BODY_TIME = 10_000;

/** ms after which a kept connection is no longer trusted to be there. */
const LONGEST_IDLE = 30_000;

export class Endpoint {
  readonly #transport: Transport;
  readonly #settings: EndpointSettings;
  readonly #dial: Dial;
  readonly #idle: Idle[] = [];

  /** @param dial opens a connection to the endpoint */
  constructor(
    transport: Transport,
    settings: EndpointSettings,
    dial: Dial = (to, signal) => transport.dial(to, signal),
  ) {
    this.#transport = transport;
    this.#settings = settings;
    this.#dial = dial;
  }

  /**
   * @param text a request, whole
   * @throws InvalidReply where the endpoint answers with something else, or breaks off; Error where it does not
   *   answer; or the signal's reason
   */
  async ask(text: ByteString, signal: AbortSignal): Promise<Head> {
    return (await this.#askKept(text, signal)) ?? (await this.#askNew(text, signal));
  }

  /** Asks over a kept connection; null where there is none, or where it had been closed under us. */
  async #askKept(text: ByteString, signal: AbortSignal): Promise<Head | null> {
    const kept = this.#takeIdle();
    if (kept === null) return null;
    try {
      return await this.#ask(kept, text, signal);
    } catch (error) {
      if (error instanceof ClosedUnheard) return null;
      throw error;
    }
  }

  async #askNew(text: ByteString, signal: AbortSignal): Promise<Head> {
    const { host, port } = this.#settings.auth_http;
    const connection = await this.#dial({ host, port }, signal);
    const { tls } = this.#settings;
    if (tls !== null) {
      await orGiveUp(connection.connectTls(tls, host), signal, () => connection.destroy());
    }
    return this.#ask(connection, text, signal);
  }

  #ask(connection: Connection, text: ByteString, signal: AbortSignal): Promise<Head> {
    const answered = new Promise<Head>((resolve, reject) => {
      connection.receiver = new Exchange(this.#transport, connection, this.#settings, {
        head: resolve,
        failed: reject,
        reusable: () => this.#keep(connection),
      });
    });
    connection.resume();
    connection.write(text);
    return orGiveUp(answered, signal, () => connection.destroy());
  }

  #keep(connection: Connection): void {
    if (this.#idle.length >= MOST_IDLE) connection.close();
    else this.#idle.push(new Idle(connection, this.#idle, this.#transport));
  }

  #takeIdle(): Connection | null {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle === undefined) return null;
      this.#transport.spare(idle.connection, false);
      if (performance.now() - idle.since < LONGEST_IDLE) return idle.connection;
      idle.connection.close();
    }
  }
}

const TOO_EARLY = "closed the connection too early";

/**
 * The endpoint closed the connection before it said a word. On a kept one it had most likely done so before we
 * asked; only then may it be asked again.
 */
class ClosedUnheard extends Error {
  override message = "closed the connection without an answer";
}

interface Outcome {
  head(head: Head): void;
  failed(error: Error): void;
  reusable(): void;
}

/** One request's answer. The connection is reusable once the body, which says nothing, has gone by. */
class Exchange implements Receiver, Expiring {
  readonly #connection: Connection;
  readonly #outcome: Outcome;
  /** Whether the connection may be used again, if the endpoint agrees. */
  readonly #keep: boolean;
  /** For the body; for the answer, whoever asked has one. */
  readonly #deadline: Deadline;
  readonly #input = new Input();
  readonly #reader: HeadReader;
  #heard = false;
  #head: Head | null = null;

  constructor(
    transport: Transport,
    connection: Connection,
    { auth_http_keepalive, auth_http_unescape }: EndpointSettings,
    outcome: Outcome,
  ) {
    this.#deadline = transport.deadline(this);
    this.#connection = connection;
    this.#keep = auth_http_keepalive;
    this.#reader = new HeadReader(auth_http_unescape);
    this.#outcome = outcome;
  }

  received(bytes: Uint8Array): void {
    this.#heard = true;
    this.#input.append(bytes);
    try {
      this.#read();
    } catch (error) {
      this.#fail(error instanceof TooLong ? "sent too long response" : reason(error));
    }
  }

  drained(): void {}

  /** The body did not come. */
  expired(): void {
    this.#connection.destroy();
  }

  ended(): void {
    if (this.#head !== null) this.#close();
    else if (this.#heard) this.#fail(TOO_EARLY);
    else this.#outcome.failed(new ClosedUnheard());
  }

  closed(error: Error | null): void {
    this.#deadline.clear();
    if (this.#head !== null) return;
    if (!this.#heard) this.#outcome.failed(new ClosedUnheard());
    else this.#fail(error === null ? TOO_EARLY : reason(error));
  }

  #close(): void {
    this.#deadline.clear();
    this.#connection.close();
  }

  #read(): void {
    const begins = this.#head === null;
    if (this.#head === null) {
      this.#head = this.#reader.next(this.#input);
      if (this.#head === null) return;
      this.#outcome.head(this.#head);
    }
    const { body, keepAlive } = this.#head;
    if (
      !this.#keep ||
      !keepAlive ||
      body === null ||
      body > LONGEST_HEAD ||
      this.#input.length > body
    ) {
      this.#close();
    } else if (this.#input.length === body) {
      this.#deadline.clear();
      this.#outcome.reusable();
    } else if (begins) this.#deadline.set(BODY_TIME);
  }

  #fail(why: string): void {
    this.#connection.destroy();
    this.#outcome.failed(new InvalidReply(why));
  }
}

/** A kept connection; whatever happens to it while it is idle ends it. */
class Idle implements Receiver {
  readonly connection: Connection;
  readonly since = performance.now();
  readonly #siblings: Idle[];
  readonly #transport: Transport;

  constructor(connection: Connection, siblings: Idle[], transport: Transport) {
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
