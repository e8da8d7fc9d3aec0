/** The listening sockets of the primary process, by address, so that one configuration after another has them. */
import { setTimeout as after } from "node:timers/promises";
import { formatAddress } from "../../shared/address.ts";
import type { Listen, Settings } from "../config/index.ts";
import type { ErrorLog } from "../observe/index.ts";
import { type Address, BindError, type BoundSocket, bind } from "../transport/index.ts";
import { clientListens } from "./bindings.ts";

/** How often nginx tries to get an address that somebody else has, and ms in between. */
const TRIES = 5;
const PAUSE = 500;

export class Sockets {
  readonly #open = new Map<string, BoundSocket>();

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
    const sockets = new Sockets();
    try {
      sockets.#tryAll(settings, { write() {} });
    } finally {
      sockets.close();
    }
  }

  get(listen: Listen): BoundSocket | undefined {
    return this.#open.get(formatAddress(listen));
  }

  /** Closes all others. */
  keep(some: readonly Address[]): void {
    const kept = new Set(some.map(formatAddress));
    for (const [address, socket] of this.#open) {
      if (kept.has(address)) continue;
      this.#open.delete(address);
      socket.close();
    }
  }

  close(): void {
    this.keep([]);
  }

  /** @returns whether an address was in use */
  #tryAll(settings: Settings, log: Pick<ErrorLog, "write">): boolean {
    let inUse = false;
    for (const listen of listens(settings)) {
      const address = formatAddress(listen);
      if (this.#open.has(address)) continue;
      try {
        this.#open.set(address, bind(listen));
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
