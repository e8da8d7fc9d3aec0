/** TLS sessions with servers, for shorter handshakes. */
import type { TLSSocket } from "node:tls";
import { LRUCache } from "lru-cache";
import type { Address } from "../connection.ts";

/** Servers, and sessions with each of them. A session takes 2 to 4 KB, mostly the server's certificate. */
const MOST_SERVERS = 1000;
const MOST_SESSIONS = 8;

interface KeptSession {
  readonly session: Buffer;
  /** True for a ticket of TLS 1.3. An observer could recognize it if it came twice (RFC 8446 appendix C.4). */
  readonly once: boolean;
  /** Expiry of the server's certificate, which a resumption does not check; ms since 1970. */
  readonly until: number;
}

/**
 * Sessions by the name that was verified, since a resumed session shows no certificate, and by address, since a
 * server cannot use the tickets of another one.
 */
export class ClientSessions {
  readonly #servers = new LRUCache<string, KeptSession[]>({ max: MOST_SERVERS });

  /** The latest session. */
  take(name: string, peer: Address): KeptSession | null {
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
   * Keeps the sessions that the server issues. Node reports them after it has verified the certificate.
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
