/** A question over TCP, for an answer that a datagram does not hold (RFC 1035 section 4.2.2). */
import {
  type Address,
  Input,
  type Receiver,
  type Transport,
  orGiveUp,
} from "../transport/index.ts";

/** Bytes; the answers to our questions are mostly below 100. */
const LONGEST_ANSWER = 16_384;

/**
 * @returns the first message that comes back, whatever it says
 * @throws Error where none comes, or one that is too long, or `signal` gives up
 */
export async function askOverTcp(
  transport: Transport,
  server: Address,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const connection = await transport.dial(server, signal);
  try {
    const answered = new Promise<Uint8Array>((resolve, reject) => {
      connection.receiver = new MessageReceiver(resolve, reject);
    });
    connection.write(Uint8Array.of(message.length >> 8, message.length & 0xff, ...message));
    return await orGiveUp(answered, signal, () => connection.destroy());
  } finally {
    connection.destroy();
  }
}

class MessageReceiver implements Receiver {
  readonly #resolve: (message: Uint8Array) => void;
  readonly #reject: (error: Error) => void;
  readonly #input = new Input();

  constructor(resolve: (message: Uint8Array) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  received(bytes: Uint8Array): void {
    this.#input.append(bytes);
    const [high, low] = Buffer.from(this.#input.peek(2), "latin1");
    if (high === undefined || low === undefined) return;
    const length = (high << 8) + low;
    if (length > LONGEST_ANSWER) this.#reject(new Error("sent too long an answer"));
    const message = this.#input.bytes(2 + length);
    if (message !== null) this.#resolve(Buffer.from(message.slice(2), "latin1"));
  }

  drained(): void {}

  ended(): void {
    this.#reject(new Error("closed the connection without an answer"));
  }

  closed(error: Error | null): void {
    this.#reject(error ?? new Error("closed the connection without an answer"));
  }
}
