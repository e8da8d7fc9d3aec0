/**
 * Calls between two processes over one channel of messages. It is written by hand since `birpc`, which does the
 * same, hands on no sockets and fails what waits when the other process ends.
 */
import type { BoundSocket } from "../../transport/index.ts";

type Calls<All> = { readonly [Name in keyof All]: (...args: never[]) => unknown };

type Message<All> =
  | { readonly call: keyof All; readonly args: readonly unknown[]; readonly request: number | null }
  | { readonly reply: number; readonly value: unknown };

/** @typeParam Own calls that this process takes; @typeParam Peer calls that the other one takes */
export class Channel<Own extends Calls<Own>, Peer extends Calls<Peer>> {
  readonly #post: (message: Message<Peer>, socket?: BoundSocket) => void;
  readonly #own: Own;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #requests = 0;

  constructor(post: (message: Message<Peer>, socket?: BoundSocket) => void, own: Own) {
    this.#post = post;
    this.#own = own;
  }

  /** Calls without a reply. Calls arrive in the order in which they are made. @param socket the last argument */
  send<Name extends keyof Peer>(
    call: Name,
    args: Readonly<Parameters<Peer[Name]>>,
    socket?: BoundSocket,
  ): void {
    this.#post({ call, args, request: null }, socket);
  }

  /**
   * Calls and waits for the reply.
   *
   * @param patience ms; without it, a reply is waited for as long as the channel is open
   * @returns undefined where no reply has come
   */
  async request<Name extends keyof Peer>(
    call: Name,
    args: Readonly<Parameters<Peer[Name]>>,
    patience?: number,
  ): Promise<Awaited<ReturnType<Peer[Name]>> | undefined> {
    const request = ++this.#requests;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(request, resolve);
    const timer = patience === undefined ? undefined : setTimeout(resolve, patience);
    this.#post({ call, args, request });
    const value = await promise;
    clearTimeout(timer);
    this.#waiting.delete(request);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- by the types of the other end
    return value as Awaited<ReturnType<Peer[Name]>> | undefined;
  }

  /** Takes a message of the other process. */
  receive(message: Message<Own>, socket?: BoundSocket): void {
    if ("reply" in message) {
      this.#waiting.get(message.reply)?.(message.value);
      return;
    }
    const { call, args, request } = message;
    const own: (...all: never[]) => unknown = this.#own[call];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- by the types of the other end
    const value = own(...((socket === undefined ? args : [...args, socket]) as never[]));
    if (request !== null) void this.#reply(request, value);
  }

  async #reply(reply: number, value: unknown): Promise<void> {
    this.#post({ reply, value: await value });
  }

  /** The other process has ended: no reply will come. */
  close(): void {
    for (const resolve of this.#waiting.values()) resolve(undefined);
  }
}
