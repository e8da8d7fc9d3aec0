/**
 * Scripted exchanges: a conversation with one peer, written as a generator over the bytes that the peer has
 * sent. One driver runs all of them: PROXY headers, upstream logins, lookup replies, DNS over TCP, CONNECT and
 * SOCKS5. A script knows neither a connection nor time, so a test can feed it bytes split at any place.
 */
import type { ByteString } from "../../shared/lookup.ts";
import type { Input } from "./input.ts";
import type { Connection, TlsReceiver } from "./connection.ts";

/** A request for a TLS handshake. The script resumes once the connection is secured. */
export const START_TLS = Symbol("STARTTLS");

/** A request for more bytes. The script resumes once the input has grown. */
export const MORE = null;

/** Text for the peer, with what the log says of it: `while sending NAME to upstream`. */
export interface Command {
  readonly text: ByteString;
  readonly name: string;
  /** A fact for the operator, logged when the command is sent. */
  readonly note?: string;
}

/** A script yields text or bytes to send, or an event to wait for. */
export type Request = ByteString | Uint8Array | Command | typeof START_TLS | typeof MORE;

/** Throws an Error for the log where the peer breaks the protocol. */
export type Script<Result> = Generator<Request, Result, void>;

/** The starter of a script. It hears of exactly one end, `finished` or `failed`, and of none after `cancel`. */
export interface ScriptOwner<Result> {
  /** The script has returned. Bytes behind the exchange are left in the input; the runner reads no more. */
  finished(result: Result): void;
  /** @param error thrown by the script, TooLong among them, or the end of the connection */
  failed(error: Error): void;
  /** A named command is about to be sent. */
  sending?(command: Command): void;
  /** The peer has sent bytes. */
  heard?(): void;
  /** Begins the handshake that the script asked for, with `receiver` as the connection's receiver. */
  startTls?(receiver: TlsReceiver): void;
}

/** The peer closed the connection before the script was done. */
export class PeerClosed extends Error {
  override name = "PeerClosed";
  override message = "closed the connection";
}

/** The peer sent bytes in the clear behind its agreement to TLS (CVE-2020-14954 and its kind). */
export class InjectedPlaintext extends Error {
  override name = "InjectedPlaintext";
  override message = "sent more than its answer to STARTTLS";
}

/** Takes `count` bytes. */
export function* takeBytes(input: Input, count: number): Generator<typeof MORE, ByteString, void> {
  for (;;) {
    const taken = input.bytes(count);
    if (taken !== null) return taken;
    yield MORE;
  }
}

/** Takes a line with its end. @throws TooLong beyond `limit` bytes */
export function* takeLine(input: Input, limit: number): Generator<typeof MORE, ByteString, void> {
  for (;;) {
    const taken = input.line(limit);
    if (taken !== null) return taken;
    yield MORE;
  }
}

/** Runs one script over one connection, and is the connection's receiver until the script ends. */
export class ScriptRunner<Result> implements TlsReceiver {
  readonly #connection: Connection;
  readonly #input: Input;
  readonly #script: Script<Result>;
  readonly #owner: ScriptOwner<Result>;
  #state: "running" | "handshaking" | "over" = "running";

  /** @param input what `script` reads from; it may hold bytes already */
  constructor(
    connection: Connection,
    input: Input,
    script: Script<Result>,
    owner: ScriptOwner<Result>,
  ) {
    this.#connection = connection;
    this.#input = input;
    this.#script = script;
    this.#owner = owner;
  }

  /** Takes over the connection and begins. */
  start(): void {
    this.#connection.receiver = this;
    this.#connection.resume();
    this.#advance();
  }

  /** The owner hears nothing more. The connection is the owner's to close. */
  cancel(): void {
    this.#state = "over";
  }

  received(bytes: Uint8Array): void {
    this.#owner.heard?.();
    this.#input.append(bytes);
    if (this.#state === "running") this.#advance();
  }

  drained(): void {}

  /** During a handshake `closed` follows, and knows more. */
  ended(): void {
    if (this.#state === "running") this.#fail(new PeerClosed());
  }

  closed(error: Error | null): void {
    this.#fail(error ?? new PeerClosed());
  }

  secured(): void {
    if (this.#state !== "handshaking") return;
    this.#state = "running";
    this.#advance();
  }

  #fail(error: Error): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#owner.failed(error);
  }

  #advance(): void {
    while (this.#state === "running") {
      const step = this.#next();
      if (step === null) return;
      if (step.done === true) {
        this.#state = "over";
        this.#owner.finished(step.value);
      } else if (step.value === MORE) return;
      else if (step.value === START_TLS) this.#startTls();
      else this.#send(step.value);
    }
  }

  /** @returns null where the script has failed */
  #next(): IteratorResult<Request, Result> | null {
    try {
      return this.#script.next();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return null;
    }
  }

  #send(request: ByteString | Uint8Array | Command): void {
    if (typeof request === "string" || request instanceof Uint8Array) {
      this.#connection.write(request);
      return;
    }
    this.#owner.sending?.(request);
    if (this.#state === "running") this.#connection.write(request.text);
  }

  #startTls(): void {
    if (this.#input.length > 0) {
      this.#fail(new InjectedPlaintext());
      return;
    }
    this.#state = "handshaking";
    this.#owner.startTls?.(this);
  }
}

/**
 * Runs a script for a caller that awaits it. The session path has no such caller.
 *
 * @param signal destroys the connection and rejects with its reason
 * @throws what the script throws, or the end of the connection
 */
export function runScript<Result>(
  connection: Connection,
  input: Input,
  script: Script<Result>,
  signal: AbortSignal,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const settle = (): void => signal.removeEventListener("abort", giveUp);
    const runner = new ScriptRunner(connection, input, script, {
      finished: (result) => {
        settle();
        connection.pause();
        resolve(result);
      },
      failed: (error) => {
        settle();
        connection.destroy();
        reject(error);
      },
    });
    const giveUp = (): void => {
      runner.cancel();
      connection.destroy();
      reject(signal.reason);
    };
    if (signal.aborted) giveUp();
    else {
      signal.addEventListener("abort", giveUp, { once: true });
      runner.start();
    }
  });
}
