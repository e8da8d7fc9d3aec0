/** TLS towards the clients of a server, with the contents of every file that it names: plain data. */
import type { Place } from "../error.ts";
import type { KeyPair } from "./key-pairs.ts";
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

/** A value that only OpenSSL can judge, with nginx's name for the call that it goes to, and where it stands. */
export interface Judged<Value = string> {
  readonly value: Value;
  readonly call: string;
  readonly place: Place;
}

export interface TlsSettings {
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
  readonly certificateCompression: boolean;
  /** Seconds that a session may be resumed for. */
  readonly sessionTimeout: number;
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
