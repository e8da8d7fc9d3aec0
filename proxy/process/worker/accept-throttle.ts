/**
 * Stops accepting while few files are left to open. The worker closes its handles of the sockets, and asks the
 * primary for them again later: meanwhile clients wait in the kernel's queue, or go to another worker. Past the
 * limit itself, libuv would accept connections and close them at once.
 */
import type { ErrorLog } from "../../observe/index.ts";
import type { Listener, SocketTransport } from "../../transport/index.ts";
import { filesInUse, openFiles } from "../os/open-files.ts";

/** Stop accepting when FULL of the files for connections are in use; resume below ROOMY. */
const FULL = 7 / 8;
const ROOMY = 3 / 4;

/** ms between two checks for room. */
const INTERVAL = 100;

export class AcceptThrottle {
  readonly #log: ErrorLog;
  readonly #transport: SocketTransport;
  readonly #resume: () => void;
  #listeners: Listener[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Files that connections may use; null before the first connection. */
  #budget: number | null = null;

  /** @param resume asks for the sockets again; `add` takes each of them */
  constructor(log: ErrorLog, transport: SocketTransport, resume: () => void) {
    this.#log = log;
    this.#transport = transport;
    this.#resume = resume;
  }

  add(listener: Listener): void {
    if (this.#closed) listener.close();
    else this.#listeners.push(listener);
  }

  /** Accepts no more, for good. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#pause();
  }

  /** To be called after each connection that was accepted. */
  check(): void {
    if (this.#listeners.length === 0) return;
    const { open } = this.#transport;
    this.#budget ??= spareFiles() + open;
    if (open < this.#budget * FULL) return;
    this.#log.write(
      "alert",
      `${open} connections leave few files to open, not accepting connections for now`,
    );
    this.#pause();
    this.#timer = setInterval(() => this.#resumeWithRoom(), INTERVAL);
  }

  #resumeWithRoom(): void {
    if (this.#budget !== null && this.#transport.open > this.#budget * ROOMY) return;
    clearInterval(this.#timer);
    this.#log.write("notice", "accepting connections again");
    this.#resume();
  }

  #pause(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
  }
}

function spareFiles(): number {
  const limit = openFiles()?.soft ?? Number.POSITIVE_INFINITY;
  return limit - filesInUse();
}
