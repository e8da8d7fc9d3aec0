/** One question, asked of one server after another until one of them answers. */
import { randomInt } from "node:crypto";
import {
  type Address,
  type Datagrams,
  type Deadline,
  type Expiring,
  type Transport,
  orGiveUp,
} from "../transport/index.ts";
import {
  type DnsResponse,
  type Question,
  TRUNCATED,
  decodeAnswer,
  encodeQuestion,
} from "./message.ts";
import { askOverTcp } from "./over-tcp.ts";

/** Whom to ask, and how. */
export interface QueryOptions {
  readonly transport: Transport;
  readonly servers: readonly Address[];
  /** The index of the server to begin with. */
  readonly first: number;
  /** ms without a usable answer after which the next server is asked. */
  readonly repeat: number;
}

/**
 * The first usable answer of any server asked so far; all else that they send is ignored, as in nginx.
 *
 * @throws the signal's reason once it gives up; until then it goes on asking
 */
export async function query(
  question: Omit<Question, "id">,
  options: QueryOptions,
  signal: AbortSignal,
): Promise<DnsResponse> {
  const running = new Query(question, options);
  try {
    running.ask();
    return await orGiveUp(running.answer, signal, () => running.giveUp(signal.reason));
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
  /** Whether a server is being asked over TCP. */
  #connected = false;

  constructor(question: Omit<Question, "id">, options: QueryOptions) {
    this.#question = { ...question, id: randomInt(0x1_0000) };
    this.#message = encodeQuestion(this.#question);
    this.#options = options;
    this.#deadline = options.transport.deadline(this);
    this.#next = options.first;
  }

  get answer(): Promise<DnsResponse> {
    return this.#answered.promise;
  }

  ask(): void {
    const { servers, repeat } = this.#options;
    const server = servers[this.#next++ % servers.length];
    if (server !== undefined) this.#channel(server).send(this.#message);
    this.#deadline.set(repeat);
  }

  /** Nobody has answered. */
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

  /** A server that is asked again hears the same from the same port, so that a late answer is still one. */
  #channel(server: Address): Datagrams {
    const known = this.#channels.get(server);
    if (known !== undefined) return known;
    const { transport } = this.#options;
    const channel = transport.datagrams(server, (bytes) => this.#heard(bytes, server));
    this.#channels.set(server, channel);
    return channel;
  }

  #heard(bytes: Uint8Array, server: Address): void {
    const answer = decodeAnswer(bytes, this.#question);
    if (answer === TRUNCATED) void this.#askOverTcp(server);
    else if (answer !== null) this.#answered.resolve(answer);
  }

  async #askOverTcp(server: Address): Promise<void> {
    if (this.#connected) return;
    this.#connected = true;
    try {
      const { transport } = this.#options;
      const bytes = await askOverTcp(transport, server, this.#message, this.#overTcp.signal);
      const answer = decodeAnswer(bytes, this.#question);
      if (answer !== null && answer !== TRUNCATED) this.#answered.resolve(answer);
    } catch {
      // As good as no answer: the next server will be asked.
    } finally {
      this.#connected = false;
    }
  }
}
