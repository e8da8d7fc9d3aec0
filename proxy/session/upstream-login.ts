/** Runs a protocol's login script against an upstream. */
import type { LoginEnd, LoginScript } from "../protocols/index.ts";
import {
  type Command,
  type Connection,
  Input,
  type Receiver,
  TooLong,
} from "../transport/index.ts";

export interface LoggedIn {
  readonly end: LoginEnd;
  /** What the upstream sent behind its answer: the client's, unread. */
  readonly rest: Uint8Array;
}

/** Hears how a login proceeds. */
export interface LoginProgress {
  saying(saying: Command): void;
  /** The upstream has said something, or hung up. */
  heard(): void;
  /** A handshake begins. */
  securing(): void;
}

/**
 * @param longest bytes of one reply, all its lines (`proxy_buffer`)
 * @param startTls does the handshake behind STARTTLS; throws where it fails
 * @throws Error where the upstream goes away, says too much, or cannot be logged in to
 */
export function logIn(
  upstream: Connection,
  script: LoginScript,
  longest: number,
  progress: LoginProgress,
  startTls: () => Promise<void>,
): Promise<LoggedIn> {
  return new Promise((resolve, reject) => {
    const outcome = { resolve, reject };
    const login = new UpstreamLogin(upstream, script, longest, progress, startTls, outcome);
    upstream.receiver = login;
    upstream.resume();
    login.start();
  });
}

/** Replies sent in the clear must not be taken for replies under TLS (CVE-2020-14954 and its kind). */
class Injected extends Error {
  override message = "upstream sent more than its answer to STARTTLS";
}

interface Outcome {
  resolve(result: LoggedIn): void;
  reject(error: unknown): void;
}

class UpstreamLogin implements Receiver {
  readonly #upstream: Connection;
  readonly #script: LoginScript;
  readonly #longest: number;
  readonly #progress: LoginProgress;
  readonly #startTls: () => Promise<void>;
  readonly #outcome: Outcome;
  readonly #input = new Input();
  /** Bytes that the upstream's reply may still have. */
  #room: number;
  #handshaking = false;
  /** Why the connection is gone, if it is. */
  #lost: Error | null = null;

  constructor(
    upstream: Connection,
    script: LoginScript,
    longest: number,
    progress: LoginProgress,
    startTls: () => Promise<void>,
    outcome: Outcome,
  ) {
    this.#upstream = upstream;
    this.#script = script;
    this.#longest = longest;
    this.#progress = progress;
    this.#startTls = startTls;
    this.#outcome = outcome;
    this.#room = longest;
  }

  start(): void {
    this.#take(this.#script.next());
  }

  received(bytes: Uint8Array): void {
    this.#progress.heard();
    this.#input.append(bytes);
    if (!this.#handshaking) this.#read();
    else if (this.#upstream.tls === null) this.#fail(new Injected());
  }

  drained(): void {}

  ended(): void {
    if (this.#handshaking) return;
    this.#progress.heard();
    this.closed(null);
  }

  /** During a handshake it is the handshake that tells, and knows more. */
  closed(error: Error | null): void {
    this.#lost = error ?? new Error("upstream prematurely closed connection");
    if (!this.#handshaking) this.#fail(this.#lost);
  }

  #read(): void {
    try {
      for (;;) {
        const line = this.#input.line(this.#room);
        if (line === null) return;
        this.#room -= line.length;
        if (!this.#take(this.#script.next(line))) return;
      }
    } catch (error) {
      const long = error instanceof TooLong;
      this.#fail(long ? new Error("upstream sent too long response line") : error);
    }
  }

  /** @returns whether the next line may be read */
  #take({ done, value }: ReturnType<LoginScript["next"]>): boolean {
    if (done === true) {
      this.#upstream.pause();
      this.#outcome.resolve({ end: value, rest: this.#input.rest() });
      return false;
    }
    if (value === "more") return true;
    this.#room = this.#longest;
    if (value === "tls") {
      this.#secure().catch((error: unknown) => this.#fail(error));
      return false;
    }
    this.#progress.saying(value);
    this.#upstream.write(value.text);
    return true;
  }

  async #secure(): Promise<void> {
    if (this.#input.length > 0) throw new Injected();
    this.#progress.securing();
    this.#handshaking = true;
    await this.#startTls();
    this.#handshaking = false;
    if (this.#lost !== null) throw this.#lost;
    if (this.#take(this.#script.next(""))) this.#read();
  }

  #fail(error: unknown): void {
    this.#outcome.reject(error);
  }
}
