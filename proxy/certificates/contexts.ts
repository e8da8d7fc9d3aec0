/** TLS towards clients, as the `ssl_*` directives describe it. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { KeyPair, ServerSettings, Shown } from "../config/index.ts";
import {
  ServerContexts,
  type ServerSecrets,
  type ServerTls,
  SocketServerTls,
  type TicketKeys,
} from "../transport/index.ts";

/** Where certificates come from that are not in the settings, and who hears of those that are of no use. */
export interface KeyMaterialSource {
  /** @returns null where there are such no longer */
  pairs(material: number, id: string): Promise<readonly KeyPair[] | null>;
  refused(why: string): void;
}

/** For those who only want to know whether OpenSSL takes what the settings say. */
const NOTHING_MORE: KeyMaterialSource = { pairs: () => Promise.resolve(null), refused() {} };

interface Made {
  readonly contexts: ServerContexts;
  readonly byProtocol: Map<ProtocolName, ServerTls>;
}

/** The TLS of a configuration's servers. Those with the same settings share it, since each costs time and memory. */
export class TlsContexts {
  readonly #source: KeyMaterialSource;
  readonly #made = new Map<number, Made>();
  /** The same for all workers, where settings have none of their own. */
  ticketKeys: TicketKeys;

  constructor(ticketKeys: TicketKeys, source = NOTHING_MORE) {
    this.ticketKeys = ticketKeys;
    this.#source = source;
  }

  /**
   * @returns null for a server that never speaks TLS
   * @throws ConfigError where OpenSSL refuses what a directive says
   */
  of({ tls, protocol }: ServerSettings): ServerTls | null {
    if (tls === null) return null;
    const { contexts, byProtocol } = this.#made.getOrInsertComputed(tls.keyMaterial, () => ({
      contexts: new ServerContexts(tls, this.#secrets(tls.keyMaterial)),
      byProtocol: new Map(),
    }));
    return byProtocol.getOrInsertComputed(protocol, () => new SocketServerTls(contexts, protocol));
  }

  /** What files hold now. */
  show(material: number, shown: Shown): void {
    this.#made.get(material)?.contexts.show(shown);
  }

  #secrets(material: number): ServerSecrets {
    return {
      ticketKeys: () => this.ticketKeys,
      pairs: (id) => this.#source.pairs(material, id),
      refused: (why) => this.#source.refused(why),
    };
  }
}
