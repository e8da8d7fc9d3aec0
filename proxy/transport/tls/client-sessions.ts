/** TLS sessions with servers, so that the next handshake is a short one. */
import type { TLSSocket } from "node:tls";
import { LRUCache } from "lru-cache";
import type { Address } from "../connection.ts";

/** Servers that are remembered, and sessions with each; one is 2 to 4 KB, most of it the server's certificate. */
const MOST_SERVERS = 1000;
const MOST_SESSIONS = 8;

interface Kept {
  readonly session: Buffer;
  /** A ticket of TLS 1.3, which whoever listens could recognize if it came twice (RFC 8446 appendix C.4). */
  readonly once: boolean;
  /** When the server's certificate expires, which no resumption looks at; ms since 1970. */
  readonly until: number;
}

/**
 * By the name that was verified, since a resumed session shows no certificate; and by address, since one
 * server can do nothing with another's tickets.
 */
export class ClientSessions {
  readonly #servers = new LRUCache<string, Kept[]>({ max: MOST_SERVERS });

  /** The latest that there is. */
  take(name: string, peer: Address): Kept | null {
    const kept = this.#servers.get(key(name, peer)) ?? [];
    for (;;) {
      const last = kept.pop();
      if (last === undefined) return null;
      if (last.until < Date.now()) continue;
      if (!last.once) kept.push(last);
      return last;
    }
  }

  /**
   * Keeps what the server gives; Node waits with it until the certificate has been verified.
   *
   * @param offered `until` of the session that the handshake began with; 0 without one
   */
  listen(secured: TLSSocket, name: string, peer: Address, offered: number): void {
    secured.on("session", (session: Buffer) => {
      const once = secured.getProtocol() === "TLSv1.3";
      const shown = secured.getPeerX509Certificate()?.validToDate.getTime();
      const until = shown ?? offered;
      const server = key(name, peer);
      const kept = (once ? this.#servers.get(server) : undefined) ?? [];
      kept.push({ session, once, until });
      this.#servers.set(server, kept.slice(-MOST_SESSIONS));
    });
  }
}

function key(name: string, { host, port }: Address): string {
  return JSON.stringify([name, host, port]);
}
