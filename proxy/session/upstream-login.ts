/** Runs a protocol's login script against an upstream. */
import type { LoginEnd } from "../protocols/index.ts";
import {
  type Command,
  type Connection,
  InjectedPlaintext,
  type Input,
  PeerClosed,
  type Script,
  ScriptRunner,
  TooLong,
} from "../transport/index.ts";

export interface LoggedIn {
  readonly end: LoginEnd;
  /** Bytes that the upstream sent after its reply, for the client. */
  readonly rest: Uint8Array;
}

/** Hears how a login proceeds. */
export interface LoginProgress {
  saying(command: Command): void;
  /** The upstream has sent bytes or its end. */
  heard(): void;
  /** A handshake begins. */
  securing(): void;
}

/**
 * @param input that the script reads from
 * @param startTls does the handshake after STARTTLS; throws where it fails
 * @throws Error where the upstream goes away, sends too much, or cannot be logged in to
 */
export function logIn(
  upstream: Connection,
  input: Input,
  script: Script<LoginEnd>,
  progress: LoginProgress,
  startTls: () => Promise<void>,
): Promise<LoggedIn> {
  return new Promise((resolve, reject) => {
    const runner = new ScriptRunner(upstream, input, script, {
      finished: (end) => resolve({ end, rest: input.rest() }),
      failed: (error) => reject(worded(error)),
      sending: (command) => progress.saying(command),
      heard: () => progress.heard(),
      startTls: (waiter) => {
        progress.securing();
        startTls().then(
          () => waiter.secured(),
          (error: Error) => waiter.failed(error),
        );
      },
    });
    runner.start();
  });
}

/** The log's words for the errors of a script. */
function worded(error: Error): Error {
  if (error instanceof TooLong) return new Error("upstream sent too long response line");
  if (error instanceof PeerClosed) return new Error("upstream prematurely closed connection");
  return error instanceof InjectedPlaintext ? new Error(`upstream ${error.message}`) : error;
}
