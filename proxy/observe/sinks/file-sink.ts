/** A file or a standard stream as a destination of log lines. It may have no room for a while. */
import { constants, fstatSync, openSync, statSync } from "node:fs";
import sonicBoom, { type SonicBoom } from "sonic-boom";
import type { LogDestination } from "../../config/index.ts";
import { systemReason } from "../../reason.ts";
import { PIPE_BUF } from "../line.ts";
import type { LogFunction } from "./sink.ts";

/** Bytes that wait for room before lines are lost. */
const MOST_WAITING = 1_048_576;

/** ms between two attempts to write what waits. */
const RETRY = 100;

type Place = Exclude<LogDestination, { readonly syslog: unknown }>;

/**
 * Writes at once, so that lines survive the process. Lines that find no room wait here, up to a bound, and the
 * process goes on.
 */
export class FileSink {
  readonly #name: string;
  readonly #tell: LogFunction;
  readonly #stream: SonicBoom;
  readonly #reopens: boolean;
  /** Lines lost so far: they found no room to wait. */
  #lost = 0;
  /** True after a write that failed. */
  #failed = false;
  #failure = "";
  /** Tries again until nothing waits any more. */
  #retry: NodeJS.Timeout | undefined;
  /** Lines lost before the outage that the log has been told of; null where all is well. */
  #lostBefore: number | null = null;

  /**
   * @param tell hears of a write that failed, and of how many lines were lost once there is room again
   * @throws Error where a file cannot be opened
   */
  constructor(place: Place, tell: LogFunction) {
    this.#name = "path" in place ? `"${place.path}"` : place.stream;
    this.#tell = tell;
    const dest = pipe(place) ?? ("path" in place ? place.path : standard(place.stream));
    this.#reopens = typeof dest === "string";
    this.#stream = new sonicBoom.SonicBoom({
      dest,
      append: true,
      sync: true,
      maxLength: MOST_WAITING,
      maxWrite: PIPE_BUF,
      // Otherwise it sleeps until a full pipe has room.
      retryEAGAIN: () => false,
    });
    this.#stream.on("error", (error: Error) => this.#fail(error));
    this.#stream.on("drop", (lines: string) => this.#lose(lines));
  }

  /**
   * @param lines one or more, each with its line end
   * @returns false where they are lost
   */
  write(lines: string): boolean {
    const lost = this.#lost;
    this.#failed = false;
    this.#stream.write(lines);
    const isTaken = this.#lost === lost;
    // Without room to wait, no write was attempted.
    if (isTaken && !this.#failed) this.#recover();
    return isTaken;
  }

  /** Opens a file anew, by its name. Where that fails, the open one stays in use. */
  reopen(): void {
    if (!this.#reopens) return;
    try {
      this.#stream.reopen();
    } catch {
      // The error is emitted as well. The "ready" listener would close the open file twice at the next reopening.
      this.#stream.removeAllListeners("ready");
    }
  }

  #fail(error: Error): void {
    if ("syscall" in error && error.syscall === "open") {
      this.#tell("emerg", `open() ${this.#name} failed (${systemReason(error)})`);
      return;
    }
    this.#failed = true;
    this.#failure = systemReason(error);
    this.#retry ??= setInterval(() => this.write(""), RETRY).unref();
    // A reader that is slow for a moment is not worth a message.
    if (!("code" in error && error.code === "EAGAIN")) this.#reportOutage();
  }

  #lose(lines: string): void {
    this.#reportOutage();
    this.#lost += lines.split("\n").length - 1;
  }

  #reportOutage(): void {
    if (this.#lostBefore !== null) return;
    this.#lostBefore = this.#lost;
    this.#tell("alert", `write() to ${this.#name} failed (${this.#failure})`);
  }

  #recover(): void {
    if (this.#retry === undefined) return;
    clearInterval(this.#retry);
    this.#retry = undefined;
    if (this.#lostBefore === null) return;
    const lost = this.#lost - this.#lostBefore;
    this.#lostBefore = null;
    this.#tell("alert", `${this.#name} is written to again, lines lost: ${lost}`);
  }
}

/** Opens a pipe so that a write never waits. @returns null where the place is no pipe, or not ours to open */
function pipe(place: Place): number | null {
  const path = "path" in place ? place.path : `/dev/fd/${DESCRIPTORS[place.stream]}`;
  try {
    if (!statSync(path).isFIFO()) return null;
    // Anew, since O_NONBLOCK on the inherited descriptor would hold for other programs as well. O_RDWR opens a
    // pipe that has no reader yet.
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

const DESCRIPTORS = { stdout: 1, stderr: 2 } as const;

function standard(stream: keyof typeof DESCRIPTORS): number {
  const descriptor = DESCRIPTORS[stream];
  const kind = fstatSync(descriptor);
  // Making Node's stream sets O_NONBLOCK, and Node restores the mode at exit.
  if (kind.isSocket() || kind.isFIFO()) void process[stream];
  return descriptor;
}
