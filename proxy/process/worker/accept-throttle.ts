/**
 * The sockets that a worker accepts from. While few files are left that it may open they are closed, and the
 * primary is asked for them again later: clients wait in the kernel's queue meanwhile, or go to another
 * worker. Past the limit itself libuv would accept them, and close them at once without a word.
 */
import type { ErrorLog } from "../../observe/index.ts";
import type { Listener, SocketTransport } from "../../transport/index.ts";
import { filesInUse, openFiles } from "../os/limits.ts";

/** Shares of the files that connections may have: nobody comes in at one, until it is less than the other. */
const FULL = 7 / 8;
const ROOMY = 3 / 4;

/** ms between two looks whether there is room again. */
const LOOK = 100;

export class Doors {
  readonly #log: ErrorLog;
  readonly #transport: SocketTransport;
  readonly #reopen: () => void;
  #listeners: Listener[] = [];
  #looking: NodeJS.Timeout | undefined;
  #shut = false;
  /** Files that connections may have; null as long as nobody has come. */
  #room: number | null = null;

  /** @param reopen asks for the sockets again, each of which is to `open` */
  constructor(log: ErrorLog, transport: SocketTransport, reopen: () => void) {
    this.#log = log;
    this.#transport = transport;
    this.#reopen = reopen;
  }

  open(listener: Listener): void {
    if (this.#shut) listener.close();
    else this.#listeners.push(listener);
  }

  /** For good. */
  shut(): void {
    this.#shut = true;
    clearInterval(this.#looking);
    this.#close();
  }

  /** Somebody has come in. */
  mind(): void {
    if (this.#listeners.length === 0) return;
    const { open } = this.#transport;
    this.#room ??= spareFiles() + open;
    if (open < this.#room * FULL) return;
    this.#log.write("alert", `${open} connections leave few files to open, accepting none for now`);
    this.#close();
    this.#looking = setInterval(() => this.#look(), LOOK);
  }

  #look(): void {
    if (this.#room !== null && this.#transport.open > this.#room * ROOMY) return;
    clearInterval(this.#looking);
    this.#log.write("notice", "accepting connections again");
    this.#reopen();
  }

  #close(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
  }
}

function spareFiles(): number {
  const limit = openFiles()?.soft ?? Number.POSITIVE_INFINITY;
  return limit - filesInUse();
}
