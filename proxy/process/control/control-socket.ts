/**
 * The primary's end of the control socket. Only its owner may use it, since it ends sessions. A failure here is a
 * warning in the log, because Postern serves as well without the socket.
 */
import { lstatSync, rmSync } from "node:fs";
import type { ErrorLog } from "../../observe/index.ts";
import { PageServer, type Pages } from "../../observe/pages/page-server.ts";
import { reason } from "../../reason.ts";
import {
  BindError,
  type BoundSocket,
  SocketTransport,
  bind,
  openConnection,
} from "../../transport/index.ts";
import { socketPath } from "./path.ts";

/** ms for a process that may listen there to accept. */
const PATIENCE = 2000;

/** Connections that wait in the kernel. */
const BACKLOG = 16;

export class ControlSocket {
  readonly #pages: Pages;
  readonly #log: () => ErrorLog;
  #open: { readonly pid: string; readonly server: PageServer } | null = null;
  #closed = false;

  /** @param log returns the log in force */
  constructor(pages: Pages, log: () => ErrorLog) {
    this.#pages = pages;
    this.#log = log;
  }

  /** Moves to the place beside a pid file. */
  async listen(pid: string | null): Promise<void> {
    if (pid === (this.#open?.pid ?? null)) return;
    try {
      const socket = pid === null ? null : await bound(socketPath(pid));
      this.#stop();
      if (pid !== null && socket !== null) this.#serve(pid, socket);
    } catch (error) {
      // The old place is of no use, and may be that of a new primary by now.
      this.#stop();
      this.#failed(error);
    }
  }

  #stop(): void {
    this.#open?.server.close();
    this.#open = null;
  }

  #serve(pid: string, socket: BoundSocket): void {
    // Binding may have waited, and this process may be ending by now.
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

  /** Closes the socket for good, and removes its file. */
  close(): void {
    this.#closed = true;
    this.#stop();
  }
}

/** @throws Error where another process listens there */
async function bound(path: string): Promise<BoundSocket> {
  const address = { host: `unix:${path}`, port: 0, mode: 0o600 };
  try {
    return bind(address);
  } catch (error) {
    if (!(error instanceof BindError && error.inUse)) throw error;
    if (!lstatSync(path).isSocket() || (await isAlive(path))) throw error;
    // A process that was killed has left the file.
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
    // A full queue is that of a living process.
    return !(error instanceof Error && "code" in error && error.code === "ECONNREFUSED");
  }
}
