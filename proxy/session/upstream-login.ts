/** Runs a protocol's login script against an upstream. */
import type { LoginEnd, LoginScript, Saying } from "../protocols/index.ts";
import { type Connection, Input, type Receiver, TooLong } from "../transport/index.ts";

export interface LoggedIn {
  readonly end: LoginEnd;
  /** What the upstream sent behind its answer: the client's, unread. */
  readonly rest: Uint8Array;
}

/** Hears how a login proceeds. */
export interface LoginProgress {
  saying(saying: Saying): void;
  /** The upstream has said something, or hung up. */
  heard(): void;
}

/**
 * @param longest bytes of one reply, all its lines (`proxy_buffer`)
 * @throws Error where the upstream goes away, or says too much, before the script has ended
 */
export function logIn(
  upstream: Connection,
  script: LoginScript,
  longest: number,
  progress: LoginProgress,
): Promise<LoggedIn> {
  return new Promise((resolve, reject) => {
    const login = new UpstreamLogin(upstream, script, longest, progress, { resolve, reject });
    upstream.receiver = login;
    upstream.resume();
    login.start();
  });
}

interface Outcome {
  resolve(result: LoggedIn): void;
  reject(error: Error): void;
}

class UpstreamLogin implements Receiver {
  readonly #upstream: Connection;
  readonly #script: LoginScript;
  readonly #longest: number;
  readonly #progress: LoginProgress;
  readonly #outcome: Outcome;
  readonly #input = new Input();
  /** Bytes that the upstream's reply may still have. */
  #room: number;

  constructor(
    upstream: Connection,
    script: LoginScript,
    longest: number,
    progress: LoginProgress,
    outcome: Outcome,
  ) {
    this.#upstream = upstream;
    this.#script = script;
    this.#longest = longest;
    this.#progress = progress;
    this.#outcome = outcome;
    this.#room = longest;
  }

  start(): void {
    this.#took(this.#script.next());
  }

  received(bytes: Uint8Array): void {
    this.#progress.heard();
    this.#input.append(bytes);
    try {
      for (;;) {
        const line = this.#input.line(this.#room);
        if (line === null) return;
        this.#room -= line.length;
        if (this.#took(this.#script.next(line))) return;
      }
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      this.#outcome.reject(new Error("upstream sent too long response line"));
    }
  }

  drained(): void {}

  ended(): void {
    this.#progress.heard();
    this.closed(null);
  }

  closed(error: Error | null): void {
    this.#outcome.reject(error ?? new Error("upstream prematurely closed connection"));
  }

  /** @returns whether the script has ended */
  #took({ done, value }: IteratorResult<Saying | null, LoginEnd>): boolean {
    if (done === true) {
      this.#upstream.pause();
      this.#outcome.resolve({ end: value, rest: this.#input.rest() });
      return true;
    }
    if (value !== null) {
      this.#room = this.#longest;
      this.#progress.saying(value);
      this.#upstream.write(value.text);
    }
    return false;
  }
}
