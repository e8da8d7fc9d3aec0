/** Runs a protocol's login script against an upstream. */
import { type LoginEnd, type LoginScript, UPSTREAM_REPLY } from "../protocols/index.ts";
import { type Connection, Input, type Receiver, TooLong } from "../transport/index.ts";

export interface LoggedIn {
  readonly end: LoginEnd;
  /** What the upstream sent behind its answer: the client's, unread. */
  readonly rest: Uint8Array;
}

/**
 * @throws Error where the upstream goes away, or says too much, before the script has ended
 */
export function logIn(upstream: Connection, script: LoginScript): Promise<LoggedIn> {
  return new Promise((resolve, reject) => {
    const login = new UpstreamLogin(upstream, script, resolve, reject);
    upstream.receiver = login;
    login.start();
  });
}

class UpstreamLogin implements Receiver {
  readonly #upstream: Connection;
  readonly #script: LoginScript;
  readonly #resolve: (result: LoggedIn) => void;
  readonly #reject: (error: Error) => void;
  readonly #input = new Input();
  /** Bytes that the upstream may still say. */
  #room = UPSTREAM_REPLY;

  constructor(
    upstream: Connection,
    script: LoginScript,
    resolve: (result: LoggedIn) => void,
    reject: (error: Error) => void,
  ) {
    this.#upstream = upstream;
    this.#script = script;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    this.#took(this.#script.next());
  }

  received(bytes: Uint8Array): void {
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
      this.#reject(new Error("upstream sent too long response line"));
    }
  }

  drained(): void {}

  ended(): void {
    this.#reject(new Error("upstream closed the connection during the login"));
  }

  closed(error: Error | null): void {
    this.#reject(error ?? new Error("upstream closed the connection during the login"));
  }

  /** @returns whether the script has ended */
  #took(result: IteratorResult<string, LoginEnd>): boolean {
    if (result.done !== true) {
      if (result.value !== "") this.#upstream.write(result.value);
      return false;
    }
    this.#upstream.pause();
    this.#resolve({ end: result.value, rest: this.#input.rest() });
    return true;
  }
}
