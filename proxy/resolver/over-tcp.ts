/** Asks a question over TCP, for an answer that does not fit a datagram (RFC 1035 section 4.2.2). */
import {
  type Address,
  Input,
  type Script,
  type Transport,
  openConnection,
  runScript,
  takeBytes,
} from "../transport/index.ts";

/** Bytes. Most answers to our questions have less than 100. */
const LONGEST_ANSWER = 16_384;

/**
 * @returns the first message that comes back, decoded by the caller
 * @throws Error where no message comes, or one that is too long; the signal's reason once it aborts
 */
export async function askOverTcp(
  transport: Transport,
  server: Address,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const connection = await openConnection(transport, server, signal);
  const input = new Input();
  try {
    return await runScript(connection, input, exchange(message, input), signal);
  } finally {
    connection.destroy();
  }
}

/** Both messages have their length before them. */
export function* exchange(message: Uint8Array, input: Input): Script<Uint8Array> {
  yield Uint8Array.of(message.length >> 8, message.length & 0xff, ...message);
  const length = Buffer.from(yield* takeBytes(input, 2), "latin1").readUInt16BE();
  if (length > LONGEST_ANSWER) throw new Error("sent too long an answer");
  return Buffer.from(yield* takeBytes(input, length), "latin1");
}
