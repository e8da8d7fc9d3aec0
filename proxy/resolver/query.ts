/** Asks one question of one server after another until a server answers. */
import { randomInt } from "node:crypto";
import {
  type Address,
  type Datagrams,
  type Deadline,
  type Expiring,
  type Transport,
} from "../transport/index.ts";
import { orGiveUp } from "./give-up.ts";
import {
  type DnsResponse,
  type Question,
  TRUNCATED,
  decodeResponse,
  encodeQuestion,
} from "./message.ts";
import { askOverTcp } from "./over-tcp.ts";

export interface QueryOptions {
  readonly transport: Transport;
  readonly servers: readonly Address[];
  /** The index of the server to begin with. */
  readonly first: number;
  /** ms without a usable response after which the next server is asked. */
  readonly repeat: number;
}

/**
 * Returns the first usable response of any server asked so far. Other messages are ignored, as in nginx.
 *
 * @throws the signal's reason once it aborts; until then the question is asked again and again
 */
export async function query(
  question: Omit<Question, "id">,
  options: QueryOptions,
  signal: AbortSignal,
): Promise<DnsResponse> {
  const running = new Query(question, options);
  try {
    running.ask();
    return await orGiveUp(running.response, signal, () => running.giveUp(signal.reason));
  } finally {
    running.end();
  }
}

class Query implements Expiring {
  readonly #question: Question;
  readonly #message: Uint8Array;
  readonly #options: QueryOptions;
  readonly #answered = Promise.withResolvers<DnsResponse>();
  readonly #deadline: Deadline;
  readonly #channels = new Map<Address, Datagrams>();
  readonly #overTcp = new AbortController();
  #next: number;
  /** True while a server is asked over TCP. */
  #isOverTcp = false;

  constructor(question: Omit<Question, "id">, options: QueryOptions) {
    this.#question = { ...question, id: randomInt(0x1_0000) };
    this.#message = encodeQuestion(this.#question);
    this.#options = options;
    this.#deadline = options.transport.deadline(this);
    this.#next = options.first;
  }

  get response(): Promise<DnsResponse> {
    return this.#answered.promise;
  }

  ask(): void {
    const { servers, repeat } = this.#options;
    const server = servers[this.#next++ % servers.length];
    if (server !== undefined) this.#channel(server).send(this.#message);
    this.#deadline.set(repeat);
  }

  /** No server has answered in time. */
  expired(): void {
    this.ask();
  }

  giveUp(reason: unknown): void {
    this.#answered.reject(reason);
  }

  end(): void {
    this.#deadline.clear();
    this.#overTcp.abort();
    for (const channel of this.#channels.values()) channel.close();
  }

  /** A server that is asked again gets the same message from the same port, so that a late response still counts. */
  #channel(server: Address): Datagrams {
    const known = this.#channels.get(server);
    if (known !== undefined) return known;
    const { transport } = this.#options;
    const channel = transport.datagrams(server, (bytes) => this.#received(bytes, server));
    this.#channels.set(server, channel);
    return channel;
  }

  #received(bytes: Uint8Array, server: Address): void {
    const response = decodeResponse(bytes, this.#question);
    if (response === TRUNCATED) void this.#askOverTcp(server);
    else if (response !== null) this.#answered.resolve(response);
  }

  async #askOverTcp(server: Address): Promise<void> {
    if (this.#isOverTcp) return;
    this.#isOverTcp = true;
    try {
      const { transport } = this.#options;
      const bytes = await askOverTcp(transport, server, this.#message, this.#overTcp.signal);
      const response = decodeResponse(bytes, this.#question);
      if (response !== null && response !== TRUNCATED) this.#answered.resolve(response);
    } catch {
      // The same as no response: the next server is asked in time.
    } finally {
      this.#isOverTcp = false;
    }
  }
}
