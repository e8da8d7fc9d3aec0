/**
 * The primary's end of the control socket. Whoever may use it may end sessions, so it is its owner's alone.
 * Postern serves as well without one: what goes wrong here is told, and no more.
 */
import { lstatSync, rmSync } from "node:fs";
import type { ErrorLog } from "../../observe/index.ts";
import { PageServer, type Pages } from "../../observe/page-server.ts";
import { reason } from "../../reason.ts";
import {
  BindError,
  type BoundSocket,
  SocketTransport,
  bind,
  openConnection,
} from "../../transport/index.ts";
import { socketPath } from "./path.ts";

/** ms for somebody who listens already. */
const PATIENCE = 2000;

/** Callers that the kernel lets wait. */
const BACKLOG = 16;

export class ControlSocket {
  readonly #pages: Pages;
  readonly #log: () => ErrorLog;
  #open: { readonly pid: string; readonly server: PageServer } | null = null;
  #closed = false;

  /** @param log the one that there is when something happens */
  constructor(pages: Pages, log: () => ErrorLog) {
    this.#pages = pages;
    this.#log = log;
  }

  /** Listens beside that pid file, and no more where it did before. */
  async listen(pid: string | null): Promise<void> {
    if (pid === (this.#open?.pid ?? null)) return;
    try {
      const socket = pid === null ? null : await bound(socketPath(pid));
      this.#leave();
      if (pid !== null && socket !== null) this.#serve(pid, socket);
    } catch (error) {
      // Nobody looks for us there any more, and it may be a successor's by now.
      this.#leave();
      this.#failed(error);
    }
  }

  #leave(): void {
    this.#open?.server.close();
    this.#open = null;
  }

  #serve(pid: string, socket: BoundSocket): void {
    // It may have taken a while to find out that nobody else listens.
    if (this.#closed) {
      socket.close();
      return;
    }
    const server = new PageServer(socket, BACKLOG, this.#pages, (error) => this.#failed(error));
    this.#open = { pid, server };
  }

  #failed(error: unknown): void {
    this.#log().write(
      "warn",
      `"-s who" and "-s kick" will not reach this process: ${reason(error)}`,
    );
  }

  /** For good; the file goes as well. */
  close(): void {
    this.#closed = true;
    this.#leave();
  }
}

/** @throws Error where that is not to be had, as somebody else listens there */
async function bound(path: string): Promise<BoundSocket> {
  const address = { host: `unix:${path}`, port: 0, mode: 0o600 };
  try {
    return bind(address);
  } catch (error) {
    if (!(error instanceof BindError && error.inUse)) throw error;
    if (!lstatSync(path).isSocket() || (await isAlive(path))) throw error;
    // Left behind by a process that was killed.
    rmSync(path, { force: true });
    return bind(address);
  }
}

async function isAlive(path: string): Promise<boolean> {
  const address = { host: `unix:${path}`, port: 0 };
  try {
    (await openConnection(new SocketTransport(), address, AbortSignal.timeout(PATIENCE))).destroy();
    return true;
  } catch (error) {
    // A queue that is full is somebody's.
    return !(error instanceof Error && "code" in error && error.code === "ECONNREFUSED");
  }
}
