/** What TLS as a server is made of: a context for those who name no host that has its own, and one for each other. */
import { X509Certificate, createHash } from "node:crypto";
import { type SecureContext, createSecureContext } from "node:tls";
import { LRUCache } from "lru-cache";
import { match } from "../../certificates/sni.ts";
import type { KeyPair, Shown, TlsSettings } from "../../config/index.ts";
import { reason } from "../../reason.ts";
import { ClientVerifier } from "./client-verifier.ts";
import { blame, contextOptions } from "./context-options.ts";
import { type TicketKeys, giveTickets } from "./tickets.ts";

/** Contexts that are kept: each is some 50 KiB, and the authorities that clients are to be certified by. */
const MOST_CONTEXTS = 1000;

/** Where a worker has it from. */
export interface ServerSecrets {
  /** The same for all workers, where settings have none of their own. */
  readonly ticketKeys: () => TicketKeys;
  /** The certificates of that id; null where there are such no longer. */
  readonly pairs: (id: string) => Promise<readonly KeyPair[] | null>;
  /** Hears of certificates that OpenSSL refuses. */
  readonly refused: (why: string) => void;
}

export class ServerContexts {
  readonly verifier: ClientVerifier | null;
  readonly #settings: TlsSettings;
  readonly #secrets: ServerSecrets;
  readonly #named = new LRUCache<string, Promise<SecureContext | null>>({ max: MOST_CONTEXTS });
  #names: Shown["names"] = new Map();
  #standard: SecureContext;
  #pairs: readonly KeyPair[];
  #ticketKeys: readonly Uint8Array[];

  /** @throws ConfigError where OpenSSL refuses what a directive says */
  constructor(settings: TlsSettings, secrets: ServerSecrets) {
    const { clients, keyPairs, ticketKeys } = settings;
    this.#settings = settings;
    this.#secrets = secrets;
    this.verifier = clients === null ? null : new ClientVerifier(clients);
    this.#ticketKeys = ticketKeys;
    this.#pairs = keyPairs;
    this.#standard = this.#standardOf(keyPairs);
  }

  /** For whoever does not name a host that has another one. */
  get standard(): SecureContext {
    return this.#standard;
  }

  /** Whether there is any other. */
  get depends(): boolean {
    return this.#names.size > 0;
  }

  /** From the next handshake on. What OpenSSL refuses leaves the standard as it was. */
  show({ standard, names, ticketKeys }: Shown): void {
    this.#names = names;
    this.#ticketKeys = ticketKeys;
    if (certificates(standard) === certificates(this.#pairs)) return;
    try {
      this.#standard = this.#standardOf(standard);
      this.#pairs = standard;
    } catch (error) {
      this.#refuse(standard, error);
    }
  }

  /**
   * @param host that the client names
   * @returns null for the standard
   */
  async named(host: string): Promise<SecureContext | null> {
    const id = match(this.#names, host) ?? "";
    if (id === "") return null;
    let making = this.#named.get(id);
    if (making === undefined) {
      making = this.#fetch(id);
      this.#named.set(id, making);
    }
    const context = await making;
    // It may have been renewed just when it was asked for.
    return context === null && match(this.#names, host) !== id ? this.named(host) : context;
  }

  async #fetch(id: string): Promise<SecureContext | null> {
    const pairs = await this.#secrets.pairs(id);
    if (pairs === null) {
      this.#named.delete(id);
      return null;
    }
    try {
      return this.#context(pairs);
    } catch (error) {
      this.#refuse(pairs, error);
      return null;
    }
  }

  #refuse(pairs: readonly KeyPair[], error: unknown): void {
    const subjects = pairs.map(({ certificate }) => new X509Certificate(certificate).subject);
    const whose = subjects.join(", ").replaceAll("\n", ", ");
    this.#secrets.refused(`cannot use the certificate of "${whose}" (${reason(error)})`);
  }

  /** With tickets, which OpenSSL leaves to the context that a handshake begins with. */
  #standardOf(pairs: readonly KeyPair[]): SecureContext {
    const made = this.#context(pairs);
    giveTickets(
      made,
      () => this.#keys(),
      () => this.verifier?.mayResume() ?? true,
    );
    return made;
  }

  #keys(): TicketKeys {
    const [newest, ...older] = this.#ticketKeys;
    return newest === undefined ? this.#secrets.ticketKeys() : [newest, ...older];
  }

  #context(pairs: readonly KeyPair[]): SecureContext {
    const settings = { ...this.#settings, keyPairs: pairs };
    const { clients, certificateCompression } = settings;
    const revocations = clients?.revocations ?? null;
    try {
      return createSecureContext({
        ...contextOptions(settings, revocations),
        // An empty list keeps Node from trusting the well-known authorities.
        ca: [...(clients?.authorities ?? [])],
        sessionTimeout: Math.min(Math.max(1, settings.sessionTimeout), LONGEST_TIMEOUT),
        sessionIdContext: sessionIdContext(settings),
        ...(certificateCompression ? { certificateCompression: ["zstd", "brotli", "zlib"] } : {}),
      });
    } catch (error) {
      throw blame(settings, revocations) ?? error;
    }
  }
}

/** Seconds, as many as Node takes. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** SSL_MAX_SID_CTX_LENGTH, bytes. */
const LONGEST_ID_CONTEXT = 32;

/**
 * A session is resumed only with the same certificates and the same demands on the client's: all servers
 * share ticket keys, and the client of one must not pass for verified at another.
 */
function sessionIdContext({ keyPairs, clients }: TlsSettings): string {
  const demands = clients && { ...clients, revocations: clients.revocations?.value };
  const same = JSON.stringify([certificates(keyPairs), demands]);
  return createHash("sha256").update(same).digest("base64url").slice(0, LONGEST_ID_CONTEXT);
}

function certificates(pairs: readonly KeyPair[]): string {
  return pairs.map(({ certificate }) => certificate).join("\n");
}
