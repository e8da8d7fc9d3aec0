/** A dialogue with a proxy, and how it is held over a connection. */
import type { ByteString } from "../../../shared/lookup.ts";
import { type Connection, Input, type Receiver, TooLong, orGiveUp } from "../../transport/index.ts";

/**
 * Reads from an `Input`; yields what to say, or null where that does not suffice yet. What is left in the
 * input at the end is not the proxy's.
 *
 * @throws Error for what the proxy must not say, and TooLong; the words of both follow the proxy's address
 */
export type Dialogue = Generator<ByteString | null, void, void>;

/** Takes so many bytes. */
export function* takeBytes(input: Input, count: number): Generator<null, ByteString, void> {
  for (;;) {
    const taken = input.bytes(count);
    if (taken !== null) return taken;
    yield null;
  }
}

/** Takes a line with its end. @throws TooLong beyond `limit` bytes */
export function* takeLine(input: Input, limit: number): Generator<null, ByteString, void> {
  for (;;) {
    const taken = input.line(limit);
    if (taken !== null) return taken;
    yield null;
  }
}

export function invalidResponse(): Error {
  return new Error("sent invalid response");
}

/**
 * What came behind the proxy's last word is put back, and the connection is paused until somebody receives.
 *
 * @throws Error where the dialogue fails, or `signal` gives up; the connection is then destroyed
 */
export function hold(
  connection: Connection,
  dialogue: (input: Input) => Dialogue,
  signal: AbortSignal,
): Promise<void> {
  const held = new Promise<void>((resolve, reject) => {
    const speaker = new Speaker(connection, dialogue, resolve, reject);
    connection.receiver = speaker;
    speaker.proceed();
  });
  return orGiveUp(held, signal, () => connection.destroy());
}

class Speaker implements Receiver {
  readonly #connection: Connection;
  readonly #input = new Input();
  readonly #dialogue: Dialogue;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  #over = false;

  constructor(
    connection: Connection,
    dialogue: (input: Input) => Dialogue,
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#dialogue = dialogue(this.#input);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  proceed(): void {
    try {
      for (;;) {
        const { done, value } = this.#dialogue.next();
        if (done === true) return this.#end();
        if (value === null) return undefined;
        this.#connection.write(value);
      }
    } catch (error) {
      this.#fail(error instanceof TooLong ? new Error("sent too long response") : error);
    }
  }

  received(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#input.append(bytes);
    this.proceed();
  }

  drained(): void {}

  ended(): void {
    this.closed(null);
  }

  closed(error: Error | null): void {
    if (!this.#over) this.#fail(error ?? new Error("closed the connection"));
  }

  #end(): void {
    this.#over = true;
    this.#connection.pause();
    this.#connection.unread(this.#input.rest());
    this.#resolve();
  }

  #fail(error: unknown): void {
    this.#over = true;
    this.#connection.destroy();
    this.#reject(error);
  }
}
