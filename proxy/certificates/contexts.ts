/** The TLS of a process: contexts for the servers of a configuration, made from the material of the primary process. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { ServerSettings } from "../config/index.ts";
import {
  type ClientTlsOptions,
  type KeyPair,
  type ServerTls,
  SocketClientTls,
  SocketServerTls,
  TicketKeyRing,
  type TicketKeys,
} from "../transport/index.ts";
import type { RenewableMaterial, ServerMaterial } from "./material.ts";
import { ServerContexts } from "./server-contexts.ts";

/** Gives certificates that a client asks for by name, and takes reasons why certificates cannot be used. */
export interface CertificateSource {
  /** @returns null if no name has that id any more */
  pairs(server: number, id: string): Promise<readonly KeyPair[] | null>;
  refused(why: string): void;
}

interface Made {
  readonly contexts: ServerContexts;
  readonly byProtocol: Map<ProtocolName, ServerTls>;
}

/** TLS towards clients. Servers with the same settings share contexts, since each costs time and memory. */
export class ServerTlsContexts {
  readonly #materials: readonly ServerMaterial[];
  readonly #source: CertificateSource;
  readonly #ticketKeys: TicketKeyRing;
  readonly #made = new Map<number, Made>();

  /** @param ticketKeys of the process, for settings without ticket keys */
  constructor(
    materials: readonly ServerMaterial[],
    ticketKeys: TicketKeys,
    source: CertificateSource,
  ) {
    this.#materials = materials;
    this.#ticketKeys = new TicketKeyRing(ticketKeys);
    this.#source = source;
  }

  /**
   * @returns null for a server that never speaks TLS
   * @throws TlsOptionError where OpenSSL refuses an option
   */
  of({ tls, protocol }: Pick<ServerSettings, "tls" | "protocol">): ServerTls | null {
    if (tls === null) return null;
    const { index } = tls;
    const { contexts, byProtocol } = this.#made.getOrInsertComputed(index, () => ({
      contexts: this.#contexts(index),
      byProtocol: new Map(),
    }));
    return byProtocol.getOrInsertComputed(protocol, () => new SocketServerTls(contexts, protocol));
  }

  /** Takes renewed files. */
  renew(server: number, renewable: RenewableMaterial): void {
    this.#made.get(server)?.contexts.renew(renewable);
  }

  renewTickets(keys: TicketKeys): void {
    this.#ticketKeys.set(keys);
  }

  #contexts(index: number): ServerContexts {
    const material = this.#materials[index];
    if (material === undefined) throw new RangeError("no TLS with that index");
    return new ServerContexts(material, {
      ticketKeys: this.#ticketKeys,
      pairs: (id) => this.#source.pairs(index, id),
      refused: (why) => this.#source.refused(why),
    });
  }
}

/** TLS towards upstreams and lookup endpoints. Servers with the same settings share a context and its sessions. */
export class ClientTlsContexts {
  readonly #all: readonly SocketClientTls[];

  constructor(options: readonly ClientTlsOptions[]) {
    this.#all = options.map((each) => new SocketClientTls(each));
  }

  of(index: number): SocketClientTls {
    const tls = this.#all[index];
    if (tls === undefined) throw new RangeError("no TLS with that index");
    return tls;
  }
}
