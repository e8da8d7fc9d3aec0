/** TLS of a server, towards its clients and as a client, with the contents of every file that it names: plain data. */
import type { KeyPair } from "../../certificates/files/key-pairs.ts";
import type { Judged } from "./openssl-errors.ts";
import { BIT } from "./options.ts";

/** The oldest first. */
export const TLS_VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** The option that turns a version off. */
export const NO_VERSION: Readonly<Record<TlsVersion, number>> = {
  TLSv1: BIT.NO_TLSv1,
  "TLSv1.1": BIT.NO_TLSv1_1,
  "TLSv1.2": BIT.NO_TLSv1_2,
  "TLSv1.3": BIT.NO_TLSv1_3,
};

/** What either side is made of. */
export interface TlsParameters {
  readonly keyPairs: readonly KeyPair[];
  /** Up to TLS 1.2. */
  readonly ciphers: Judged;
  /** TLS 1.3; null for OpenSSL's own. */
  readonly ciphersuites: Judged | null;
  /** `auto` for OpenSSL's own. */
  readonly groups: Judged;
  readonly signatureAlgorithms: Judged | null;
  /** PEM; null for no DHE. */
  readonly dhparam: Judged | null;
  /** SSL_OP_*, by the numbers of their bits: which versions are spoken, and whether tickets are given, among others. */
  readonly options: readonly number[];
}

/** Towards clients. */
export interface TlsSettings extends TlsParameters {
  readonly certificateCompression: boolean;
  /** Seconds that a session may be resumed for. */
  readonly sessionTimeout: number;
  /** The index of what its files hold, which may be renewed. */
  readonly keyMaterial: number;
  /** 48 bytes each, in Node's order. The first encrypts, all decrypt; with none, the process has its own. */
  readonly ticketKeys: readonly Uint8Array[];
  /** Null where clients are not asked for certificates. */
  readonly clients: ClientCertificates | null;
}

/** What clients' certificates must be. */
export interface ClientCertificates {
  readonly mode: "on" | "optional" | "optional_no_ca";
  /** Intermediate certificates between a client's and the trusted one. */
  readonly depth: number;
  /** PEM, one certificate each. */
  readonly authorities: readonly string[];
  /** PEM, one list each; not null: all certificates of a chain must be covered by one. */
  readonly revocations: Judged<readonly string[]> | null;
}

/** TLS as a client: towards upstreams, or lookup endpoints. */
export interface ClientTlsSettings {
  /** Whether a certificate that does not hold ends the connection. */
  readonly verify: boolean;
  /** PEM certificates to trust instead of the well-known authorities and the system's; null for those. */
  readonly trusted: string | null;
  /** Absent for Node's own. */
  readonly parameters?: TlsParameters;
  /** PEM, one list each; where given, all certificates of a chain must be covered by one. */
  readonly revocations?: Judged<readonly string[]> | null;
  /** Whether the server is told whom it is taken for (SNI, RFC 6066 section 3); it is unless said. */
  readonly serverName?: boolean;
  /** Whether sessions are resumed; they are unless said. */
  readonly sessionReuse?: boolean;
  /** Who is at the other end, as errors about its certificate name it: `upstream`. */
  readonly peer?: string;
}
