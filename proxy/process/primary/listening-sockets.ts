/** The listening sockets of the primary process, by address. Each configuration takes over those of the one before. */
import { rmSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import { formatAddress, unixPath } from "../../../shared/address.ts";
import type { Listen, Settings } from "../../config/index.ts";
import type { ErrorLog } from "../../observe/index.ts";
import { type Address, BindError, type BoundSocket, bind, inherit } from "../../transport/index.ts";
import { clientListens } from "../ipc/bindings.ts";
import type { Descriptor } from "../os/launch-environment.ts";

/** nginx's attempts to bind addresses in use, and ms in between. */
const TRIES = 5;
const PAUSE = 500;

/** Other primaries with the same sockets, during a binary upgrade. */
export interface PeerPrimaries {
  readonly hasOld: boolean;
  readonly hasNew: boolean;
}

interface OpenSocket {
  readonly socket: BoundSocket;
  /** Bound here, inherited for good, or inherited from a process that keeps it. */
  readonly how: "bound" | "inherited" | "lent";
}

export class ListeningSockets {
  readonly #open = new Map<string, OpenSocket>();
  readonly #peers: PeerPrimaries;

  constructor(peers: PeerPrimaries = { hasOld: false, hasNew: false }) {
    this.#peers = peers;
  }

  /** Takes over the sockets that a configuration listens on, closes the others, and logs each. */
  inherit(
    descriptors: readonly Descriptor[],
    settings: Settings,
    log: Pick<ErrorLog, "write">,
  ): void {
    const wanted = new Set(listens(settings).map(formatAddress));
    for (const { fd, lent } of descriptors) {
      const found = inherit(fd);
      if (found === null) {
        log.write("notice", `inherited descriptor ${fd} is no listening socket, ignored`);
        continue;
      }
      const { socket } = found;
      const address = found.address === null ? `descriptor ${fd}` : formatAddress(found.address);
      if (wanted.delete(address)) {
        this.#open.set(address, { socket, how: lent ? "lent" : "inherited" });
        log.write("notice", `using inherited socket ${address}`);
      } else {
        socket.close();
        log.write("notice", `inherited socket ${address} is in no "listen", closed`);
      }
    }
  }

  /** All sockets, for a new primary. */
  get descriptors(): readonly Descriptor[] {
    return [...this.#open.values()].map(({ socket, how }) => ({
      fd: socket.fd,
      lent: how === "lent",
    }));
  }

  /**
   * Binds the addresses that are not bound yet, and waits a little for addresses in use. After a failure, the
   * addresses bound so far stay bound until `keep` or `close`.
   *
   * @param log gets the addresses in use
   * @throws Error for the first address that cannot be bound
   */
  async bind(settings: Settings, log: Pick<ErrorLog, "write">): Promise<void> {
    for (let tries = TRIES; this.#tryAll(settings, log); tries--) {
      if (tries === 1) throw new Error("still could not bind()");
      log.write("notice", `try again to bind() after ${PAUSE}ms`);
      await after(PAUSE);
    }
  }

  /**
   * Binds all addresses and closes them again. As in nginx, an address in use is no error: Postern may be running.
   *
   * @throws Error for the first address that a start could not bind
   */
  static check(settings: Settings): void {
    const sockets = new ListeningSockets();
    try {
      sockets.#tryAll(settings, { write() {} });
    } finally {
      sockets.close();
    }
  }

  get(listen: Listen): BoundSocket | undefined {
    return this.#open.get(formatAddress(listen))?.socket;
  }

  /** Closes all sockets but those. */
  keep(some: readonly Address[]): void {
    const kept = new Set(some.map(formatAddress));
    for (const [address, held] of this.#open) {
      if (kept.has(address)) continue;
      this.#open.delete(address);
      this.#close(address, held);
    }
  }

  close(): void {
    this.keep([]);
  }

  /** The last primary that uses a unix socket removes its file, unless the process that has bound it keeps it. */
  #close(address: string, { socket, how }: OpenSocket): void {
    const path = unixPath(address);
    const { hasOld, hasNew } = this.#peers;
    // Closing a socket that was bound here removes its file.
    if (how === "bound" && path !== null && hasNew) return;
    socket.close();
    if (how !== "inherited" || path === null || hasOld || hasNew) return;
    rmSync(path, { force: true });
  }

  /** @returns true where an address was in use */
  #tryAll(settings: Settings, log: Pick<ErrorLog, "write">): boolean {
    let inUse = false;
    for (const listen of listens(settings)) {
      const address = formatAddress(listen);
      if (this.#open.has(address)) continue;
      try {
        this.#open.set(address, { socket: bind(listen), how: "bound" });
      } catch (error) {
        if (!(error instanceof BindError && error.inUse)) throw error;
        log.write("emerg", error.message);
        inUse = true;
      }
    }
    return inUse;
  }
}

/** All addresses that a configuration listens on. */
function listens(settings: Settings): readonly Listen[] {
  const { status_listen } = settings;
  const clients = clientListens(settings);
  return status_listen === null ? clients : [...clients, status_listen];
}
