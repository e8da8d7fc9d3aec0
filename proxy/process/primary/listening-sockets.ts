/** The listening sockets of the primary process, by address, so that one configuration after another has them. */
import { rmSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import { formatAddress, unixPath } from "../../../shared/address.ts";
import type { Listen, Settings } from "../../config/index.ts";
import type { ErrorLog } from "../../observe/index.ts";
import { type Address, BindError, type BoundSocket, bind, inherit } from "../../transport/index.ts";
import { clientListens } from "../ipc/bindings.ts";
import type { Descriptor } from "../os/launch-environment.ts";

/** How often nginx tries to get an address that somebody else has, and ms in between. */
const TRIES = 5;
const PAUSE = 500;

/** Other primaries that have the same sockets. */
interface Kin {
  readonly hasPredecessor: boolean;
  readonly hasSuccessor: boolean;
}

interface Held {
  readonly socket: BoundSocket;
  /** Whether this process has bound it, inherited it for good, or inherited what others keep. */
  readonly how: "bound" | "inherited" | "lent";
}

export class ListeningSockets {
  readonly #open = new Map<string, Held>();
  readonly #kin: Kin;

  constructor(kin: Kin = { hasPredecessor: false, hasSuccessor: false }) {
    this.#kin = kin;
  }

  /** Takes over what a configuration listens on, and closes the rest. @param log hears of each */
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

  /** For a successor. */
  get descriptors(): readonly Descriptor[] {
    return [...this.#open.values()].map(({ socket, how }) => ({
      fd: socket.fd,
      lent: how === "lent",
    }));
  }

  /**
   * Binds what is not bound yet, and waits a little for addresses that are in use. What has been bound when
   * it fails stays so, until `keep` or `close`.
   *
   * @param log hears of addresses in use
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
   * Binds and lets go. As in nginx, an address in use is no mistake: we may be running.
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

  /** Closes all others. */
  keep(some: readonly Address[]): void {
    const kept = new Set(some.map(formatAddress));
    for (const [address, held] of this.#open) {
      if (kept.has(address)) continue;
      this.#open.delete(address);
      this.#letGo(address, held);
    }
  }

  close(): void {
    this.keep([]);
  }

  /** The file of a unix socket goes with the last of us, but not where somebody else keeps the socket. */
  #letGo(address: string, { socket, how }: Held): void {
    const path = unixPath(address);
    const { hasPredecessor, hasSuccessor } = this.#kin;
    // To close it would remove the file.
    if (how === "bound" && path !== null && hasSuccessor) return;
    socket.close();
    if (how !== "inherited" || path === null || hasPredecessor || hasSuccessor) return;
    rmSync(path, { force: true });
  }

  /** @returns whether an address was in use */
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

/** All that a configuration listens on. */
function listens(settings: Settings): readonly Listen[] {
  const { status_listen } = settings;
  const clients = clientListens(settings);
  return status_listen === null ? clients : [...clients, status_listen];
}
