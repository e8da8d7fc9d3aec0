/** The data that TLS contexts are made of: contents of files, and options. It can be sent to another process. */

/** A certificate chain and its key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Options that both sides of TLS have. */
export interface TlsParameters {
  /** Up to TLS 1.2. */
  readonly ciphers: string;
  /** TLS 1.3; null for OpenSSL's default. */
  readonly ciphersuites: string | null;
  /** `auto` for OpenSSL's default. */
  readonly groups: string;
  readonly signatureAlgorithms: string | null;
  /** PEM; null for no DHE. */
  readonly dhparam: string | null;
  /** Numbers of SSL_OP_* bits. They say, among others, which versions are spoken and whether tickets are issued. */
  readonly bits: readonly number[];
}

/** TLS as a server. */
export interface ServerTlsOptions extends TlsParameters {
  readonly certificateCompression: boolean;
  /** Seconds for which a session may be resumed. */
  readonly sessionTimeout: number;
  /** Null where clients are not asked for certificates. */
  readonly clients: ClientCertificateOptions | null;
}

export interface ClientCertificateOptions {
  readonly mode: "on" | "optional" | "optional_no_ca";
  /** Intermediate certificates between a client's and the trusted one. */
  readonly depth: number;
  /** PEM, one certificate each. */
  readonly authorities: readonly string[];
  /** PEM, one list each. Where given, every certificate of a chain must be covered by one. */
  readonly revocations: readonly string[] | null;
}

/** TLS as a client. */
export interface ClientTlsOptions {
  /** False lets a connection go on although the server's certificate is not valid. */
  readonly verify: boolean;
  /** PEM certificates to trust in place of the well-known authorities and the system's; null for those. */
  readonly trusted: string | null;
  /** Absent for Node's defaults. */
  readonly parameters?: TlsParameters;
  /** The certificate for servers that ask for one. */
  readonly keyPairs?: readonly KeyPair[];
  /** PEM, one list each. Where given, every certificate of a chain must be covered by one. */
  readonly revocations?: readonly string[] | null;
  /** False sends no server name (SNI, RFC 6066 section 3). */
  readonly serverName?: boolean;
  /** False resumes no sessions. */
  readonly sessionReuse?: boolean;
  /** The server as errors about its certificate name it, such as `upstream`. */
  readonly peer?: string;
}

/** 48 bytes each: name, HMAC key, AES key. The newest encrypts, all decrypt. */
export type TicketKeys = readonly [newest: Uint8Array, ...older: Uint8Array[]];
