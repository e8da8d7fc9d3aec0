/** TLS as the directives describe it: options, and the paths of files. */
import type { Place } from "../language/error.ts";
import type { NamedFile, NamedPair } from "./named-file.ts";
import type { OpensslValue } from "./openssl-value.ts";

/** All TLS of a configuration. Servers with the same directives share an entry, and refer to it by its index. */
export interface TlsSettings {
  readonly servers: readonly ServerTlsSettings[];
  readonly clients: readonly ClientTlsSettings[];
}

/** Options that both sides of TLS have. */
export interface TlsOptions {
  /** Up to TLS 1.2. */
  readonly ciphers: OpensslValue;
  /** TLS 1.3; null for OpenSSL's default. */
  readonly ciphersuites: OpensslValue | null;
  /** `auto` for OpenSSL's default. */
  readonly groups: OpensslValue;
  readonly signatureAlgorithms: OpensslValue | null;
  /** Null for no DHE. */
  readonly dhparam: DhparamFile | null;
  /** Numbers of SSL_OP_* bits. They say, among others, which versions are spoken and whether tickets are issued. */
  readonly bits: readonly number[];
  readonly pairCommands: PairCommands;
}

export interface DhparamFile {
  readonly file: NamedFile;
  /** nginx's name for the call that opens it. */
  readonly open: string;
  /** nginx's name for the call that reads it. */
  readonly read: string;
}

/** `Certificate` and `PrivateKey` of `*_conf_command`: they replace pairs of the other directives, in order. */
interface PairCommands {
  readonly list: readonly PairCommand[];
  /** Place of the last one. */
  readonly place: Place;
}

export type PairCommand =
  | { readonly kind: "certificate"; readonly file: NamedFile }
  /** `call` is nginx's name for the command. */
  | { readonly kind: "key"; readonly file: NamedFile; readonly call: string };

/** Towards clients. */
export interface ServerTlsSettings {
  /** Place of the first server with these settings. */
  readonly place: Place;
  readonly options: TlsOptions;
  /** `ssl_certificate` and `ssl_certificate_key`. */
  readonly pairs: readonly NamedPair[];
  /** `ssl_certificate_dir`. */
  readonly directory: CertificateDirectorySettings | null;
  /** Pass phrases for encrypted keys. */
  readonly passwords: readonly string[];
  /** The certificate for this name is the default one of a directory. */
  readonly serverName: string;
  readonly ticketKeys: readonly NamedFile[];
  readonly clients: ClientCertificateSettings;
  readonly certificateCompression: boolean;
  /** Seconds for which a session may be resumed. */
  readonly sessionTimeout: number;
}

export interface CertificateDirectorySettings {
  readonly path: string;
  readonly place: Place;
}

/** `ssl_verify_client`, but for `off`. */
export type ClientCertificateMode = "on" | "optional" | "optional_no_ca";

export interface ClientCertificateSettings {
  readonly mode: ClientCertificateMode | "off";
  /** Intermediate certificates between a client's and the trusted one. */
  readonly depth: number;
  readonly authorities: readonly NamedFile[];
  readonly crl: NamedFile | null;
}

/** TLS in the settings of a server. */
export interface ServerTlsReference {
  /** Index of its entry in `TlsSettings.servers`. */
  readonly index: number;
  /** Null where clients are not asked for certificates. */
  readonly clients: { readonly mode: ClientCertificateMode } | null;
}

/** Towards upstreams, or lookup endpoints. */
export interface ClientTlsSettings {
  /** Place of the first server with these settings. */
  readonly place: Place;
  /** The directives by their common name: `proxy_ssl_*`. */
  readonly directives: string;
  readonly options: TlsOptions;
  /** The certificate for servers that ask for one. */
  readonly pair: NamedPair | null;
  readonly passwords: readonly string[];
  /** False lets a connection go on although the server's certificate is not valid. */
  readonly verify: boolean;
  /** Null for the well-known authorities and the system's. */
  readonly trusted: NamedFile | null;
  readonly crl: NamedFile | null;
  /** False sends no server name (SNI, RFC 6066 section 3). */
  readonly serverName: boolean;
  readonly sessionReuse: boolean;
  /** The server as errors about its certificate name it, such as `upstream`; null for no name. */
  readonly peer: string | null;
}
