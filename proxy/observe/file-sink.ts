/** A file or a standard stream that takes lines, and may be full for a while. */
import { constants, fstatSync, openSync, statSync } from "node:fs";
import pino from "pino";
import type { LogDestination } from "../config/index.ts";
import { systemReason } from "../reason.ts";
import type { Sink, LogFunction } from "./sink.ts";

/** Bytes that wait for room before lines are lost. */
const MOST_WAITING = 1_048_576;

/** Bytes that a pipe takes in one piece (PIPE_BUF): workers that share one do not tear each other's lines. */
const MOST_AT_ONCE = 4096;

/** ms between attempts where nobody writes. */
const RETRY = 100;

type Place = Exclude<LogDestination, { readonly syslog: unknown }>;

/**
 * Each line is written at once and in one piece: it survives the process, and lines of several workers do not
 * mix. What cannot be written now waits, up to a bound; nobody waits for it.
 */
export class FileSink implements Sink {
  readonly #name: string;
  readonly #tell: LogFunction;
  readonly #stream: ReturnType<typeof pino.destination>;
  readonly #reopens: boolean;
  /** Lines for which there was no room to wait. */
  #lost = 0;
  /** Whether the last attempt was in vain. */
  #failed = false;
  #why = "";
  /** Tries again, from then until all that waits is written. */
  #retry: NodeJS.Timeout | undefined;
  /** How many were lost before what the log has been told of; null where all is well. */
  #told: number | null = null;

  /**
   * @param tell hears of a write that failed, and of how many lines were lost once there is room again
   * @throws Error where a file cannot be opened
   */
  constructor(place: Place, tell: LogFunction) {
    this.#name = "path" in place ? `"${place.path}"` : place.stream;
    this.#tell = tell;
    const dest = pipe(place) ?? ("path" in place ? place.path : standard(place.stream));
    this.#reopens = typeof dest === "string";
    this.#stream = pino.destination({
      dest,
      append: true,
      sync: true,
      maxLength: MOST_WAITING,
      maxWrite: MOST_AT_ONCE,
      // Otherwise it sleeps until a full pipe has room.
      retryEAGAIN: () => false,
    });
    // Pino's own listener makes it silent for ever once a pipe's reader has gone.
    this.#stream.removeAllListeners("error");
    this.#stream.on("error", (error: Error) => this.#fail(error));
    this.#stream.on("drop", () => this.#lose());
  }

  write(line: string): boolean {
    const lost = this.#lost;
    this.#failed = false;
    this.#stream.write(line);
    const taken = this.#lost === lost;
    // Where there is no room to wait, nothing was attempted.
    if (taken && !this.#failed) this.#recover();
    return taken;
  }

  /** Opens a file anew, by its name; where that fails, what is open stays so. */
  reopen(): void {
    if (!this.#reopens) return;
    try {
      this.#stream.reopen();
    } catch {
      // Pino tells of it as an error, and would close what is open now twice at the next time.
      this.#stream.removeAllListeners("ready");
    }
  }

  #fail(error: Error): void {
    if ("syscall" in error && error.syscall === "open") {
      this.#tell("emerg", `open() ${this.#name} failed (${systemReason(error)})`);
      return;
    }
    this.#failed = true;
    this.#why = systemReason(error);
    this.#retry ??= setInterval(() => this.write(""), RETRY).unref();
    // That a reader is slow for a moment is no news.
    if (!("code" in error && error.code === "EAGAIN")) this.#trouble();
  }

  #lose(): void {
    this.#trouble();
    this.#lost++;
  }

  #trouble(): void {
    if (this.#told !== null) return;
    this.#told = this.#lost;
    this.#tell("alert", `write() to ${this.#name} failed (${this.#why})`);
  }

  #recover(): void {
    if (this.#retry === undefined) return;
    clearInterval(this.#retry);
    this.#retry = undefined;
    if (this.#told === null) return;
    const lost = this.#lost - this.#told;
    this.#told = null;
    this.#tell("alert", `${this.#name} is written to again, lines lost: ${lost}`);
  }
}

/** A pipe that makes nobody wait; null where it is none, or not ours. */
function pipe(place: Place): number | null {
  const path = "path" in place ? place.path : `/dev/fd/${DESCRIPTORS[place.stream]}`;
  try {
    if (!statSync(path).isFIFO()) return null;
    // Not the description that other programs share. For reading as well, or it must have a reader now.
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

const DESCRIPTORS = { stdout: 1, stderr: 2 } as const;

function standard(stream: keyof typeof DESCRIPTORS): number {
  const descriptor = DESCRIPTORS[stream];
  const kind = fstatSync(descriptor);
  // Once its stream is made nobody waits for it; Node gives it back as it was when it exits.
  if (kind.isSocket() || kind.isFIFO()) void process[stream];
  return descriptor;
}
