/** The TLS contexts of a server: the default one, and those for host names that clients ask for. */
import { X509Certificate } from "node:crypto";
import { LRUCache } from "lru-cache";
import { reason } from "../reason.ts";
import {
  ClientVerifier,
  type KeyPair,
  type ServerContext,
  type ServerContextSource,
  type ServerTlsOptions,
  TicketKeyRing,
  type UseContext,
  createServerContext,
  useTickets,
} from "../transport/index.ts";
import type { RenewableMaterial, ServerMaterial } from "./material.ts";
import { lookUpName } from "./sni.ts";

/** Contexts kept by name. Each takes some 50 KiB, and more with the authorities for clients' certificates. */
const MOST_CONTEXTS = 1000;

/** The parts of TLS that a server gets from its process. */
export interface ServerSecrets {
  /** Shared by all workers; used if the settings have no ticket keys. */
  readonly ticketKeys: TicketKeyRing;
  /** Certificates by id; null if no name has that id any more. */
  readonly pairs: (id: string) => Promise<readonly KeyPair[] | null>;
  /** Gets the reasons why certificates cannot be used. */
  readonly refused: (why: string) => void;
}

export class ServerContexts implements ServerContextSource {
  readonly verifier: ClientVerifier | null;
  readonly #options: ServerTlsOptions;
  readonly #secrets: ServerSecrets;
  /** By id. A promise stands for a context whose certificates have been asked for. */
  readonly #named = new LRUCache<string, ServerContext | Promise<ServerContext | null>>({
    max: MOST_CONTEXTS,
  });
  #names: RenewableMaterial["names"] = new Map();
  #default: ServerContext;
  #defaultPairs: readonly KeyPair[];
  #ticketKeys: TicketKeyRing;

  /** @throws TlsOptionError where OpenSSL refuses an option */
  constructor({ options, renewable }: ServerMaterial, secrets: ServerSecrets) {
    this.#options = options;
    this.#secrets = secrets;
    this.verifier = options.clients === null ? null : new ClientVerifier(options.clients);
    this.#names = renewable.names;
    this.#ticketKeys = this.#ringOf(renewable.ticketKeys);
    this.#defaultPairs = renewable.default;
    this.#default = this.#defaultContext(renewable.default);
  }

  get default(): ServerContext {
    return this.#default;
  }

  get choose(): ServerContextSource["choose"] {
    return this.#names.size === 0 ? null : this.#choose;
  }

  /** Takes renewed files, from the next handshake on. The default stays if OpenSSL refuses the new one. */
  renew({ default: pairs, names, ticketKeys }: RenewableMaterial): void {
    this.#names = names;
    this.#ticketKeys = this.#ringOf(ticketKeys);
    if (sameCertificates(pairs, this.#defaultPairs)) return;
    try {
      this.#default = this.#defaultContext(pairs);
      this.#defaultPairs = pairs;
    } catch (error) {
      this.#refuse(pairs, error);
    }
  }

  readonly #choose = (host: string, use: UseContext): void => {
    const id = lookUpName(this.#names, host) ?? "";
    const made = id === "" ? undefined : this.#named.get(id);
    if (id === "") use(null);
    else if (made === undefined || made instanceof Promise) void this.#fetch(host, use);
    else use(null, made);
  };

  async #fetch(host: string, use: UseContext): Promise<void> {
    use(null, (await this.named(host)) ?? undefined);
  }

  /**
   * @param host the name that a client asks for
   * @returns null for the default
   */
  async named(host: string): Promise<ServerContext | null> {
    const id = lookUpName(this.#names, host) ?? "";
    if (id === "") return null;
    let making = this.#named.get(id);
    if (making === undefined) {
      making = this.#make(id);
      this.#named.set(id, making);
    }
    const context = await making;
    // The certificates may have been renewed while they were asked for.
    return context === null && lookUpName(this.#names, host) !== id ? this.named(host) : context;
  }

  async #make(id: string): Promise<ServerContext | null> {
    const pairs = await this.#secrets.pairs(id);
    if (pairs === null) {
      this.#named.delete(id);
      return null;
    }
    try {
      const context = createServerContext(this.#options, pairs);
      this.#named.set(id, context);
      return context;
    } catch (error) {
      this.#refuse(pairs, error);
      return null;
    }
  }

  #refuse(pairs: readonly KeyPair[], error: unknown): void {
    const subjects = pairs.map(({ certificate }) => new X509Certificate(certificate).subject);
    const all = subjects.join(", ").replaceAll("\n", ", ");
    this.#secrets.refused(`cannot use the certificate of "${all}" (${reason(error)})`);
  }

  /** OpenSSL takes tickets from the context that a handshake begins with, so only the default one has them. */
  #defaultContext(pairs: readonly KeyPair[]): ServerContext {
    const context = createServerContext(this.#options, pairs);
    const { verifier } = this;
    useTickets(
      context,
      () => this.#ticketKeys,
      () => verifier?.mayResume() ?? true,
    );
    return context;
  }

  #ringOf([newest, ...older]: readonly Uint8Array[]): TicketKeyRing {
    return newest === undefined ? this.#secrets.ticketKeys : new TicketKeyRing([newest, ...older]);
  }
}

function sameCertificates(some: readonly KeyPair[], others: readonly KeyPair[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ certificate }, index) => certificate === others[index]?.certificate)
  );
}
