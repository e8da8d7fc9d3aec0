/**
 * The byte layer's contract. All of Postern above `transport/` knows connections only by what stands here;
 * today they are Node's sockets, and nothing above would notice another kind.
 */
import type { ByteString } from "../../shared/lookup.ts";

export interface Address {
  /** An IP address without brackets, or a name; `unix:` and the path of a socket, which a client of one lacks. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
}

/** What is known of a finished TLS handshake; names are OpenSSL's. */
export interface TlsSession {
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly protocol: string;
  readonly cipher: string;
  /** The name that the client asked for (SNI, RFC 6066 section 3), unverified, or null. */
  readonly serverName: string | null;
  /** The protocol agreed upon by ALPN (RFC 7301), or null. */
  readonly alpn: string | null;
  readonly resumed: boolean;
  /** What our certificate is made with; worked out when asked for. */
  certificate(): CertificateAlgorithms | null;
  /** What came of asking a client for its certificate; null where nobody asked. */
  readonly verification: Verification | null;
}

export interface Verification {
  /** Null where the client has none to show. */
  readonly certificate: PeerCertificate | null;
  /** Why OpenSSL does not trust it; null where it does, and where there is none. */
  readonly error: VerifyError | null;
}

/** OpenSSL's number and words (X509_STORE_CTX_get_error(3)). */
export interface VerifyError {
  readonly code: number;
  readonly reason: string;
}

/** The facts of a certificate, in ASCII without control characters but for the common name. */
export interface PeerCertificate {
  /** In UTF-8, as it stands in the certificate; the first one, or null. */
  readonly commonName: ByteString | null;
  /** By RFC 2253, with every byte beyond ASCII escaped; empty for an empty name. */
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal, in capitals. */
  readonly serial: string;
  /** SHA-1 of the whole, hexadecimal, in small letters. */
  readonly fingerprint: string;
  /** Lines, each ending in LF. */
  readonly pem: string;
}

/** Algorithms in OpenSSL's short names. */
export interface CertificateAlgorithms {
  /** `RSA-SHA256`, `ecdsa-with-SHA256`. */
  readonly signature: string;
  /** With the size in bits: `RSA2048`, `EC256`. */
  readonly key: string;
}

/** The one owner of a connection's events. */
export interface Receiver {
  /** Bytes arrived. They are the receiver's to keep and nobody changes them. */
  received(bytes: Uint8Array): void;
  /** All that was written has gone to the kernel; after `end`, FIN as well. */
  drained(): void;
  /** The peer will send no more (FIN, `close_notify`); it may still be reading. */
  ended(): void;
  /** The connection is gone, with the error that ended it, if one did. Always the last event. */
  closed(error: Error | null): void;
}

/** TLS as a server: certificates, ticket keys and versions, made once and used by many connections. */
export interface ServerTls {
  readonly kind: "server";
}

/** TLS as a client: whom to trust, made once and used by many connections. */
export interface ClientTls {
  readonly kind: "client";
}

export interface Connection {
  readonly remote: Address;
  readonly local: Address;
  /** Null in the clear. */
  readonly tls: TlsSession | null;
  /** Bytes written that the kernel has not taken yet. */
  readonly queued: number;
  /** Whether the peer has sent its last byte. */
  readonly finished: boolean;
  /** Who hears of events from now on. */
  receiver: Receiver;

  /** @returns false when the caller should wait for `drained` before it writes more */
  write(bytes: Uint8Array | ByteString): boolean;
  pause(): void;
  resume(): void;
  /** Puts bytes back that were read too far, before a handshake. */
  unread(bytes: Uint8Array): void;
  /** Sends what is queued, then FIN; reading goes on. */
  end(): void;
  /** Sends what is queued, then closes; what still arrives is dropped. No more events come. */
  close(): void;
  /**
   * Ends with RST, and without TLS's `close_notify`, which would call it an orderly end: at once, or two
   * seconds after the last `write`, since RST overtakes what is under way. No more events come.
   */
  reset(): void;
  /** Closes at once and drops what is queued. */
  destroy(): void;
  /**
   * Answers the peer's TLS handshake. Nothing is received until it is done.
   *
   * @throws Error where the handshake fails; `closed` follows
   */
  acceptTls(tls: ServerTls): Promise<void>;
  /**
   * Opens TLS with the peer.
   *
   * @param name the host name or address that its certificate must be for
   * @throws Error where the handshake fails or the certificate does not hold; `closed` follows
   */
  connectTls(tls: ClientTls, name: string): Promise<void>;
}

/** A time limit that can be moved cheaply; it fires once each time that it is set. */
export interface Deadline {
  /** @param ms from now; Infinity for never */
  set(ms: number): void;
  clear(): void;
}

export interface Expiring {
  expired(): void;
}

/** A spliced pair of connections. */
export interface Splice {
  /** Bytes moved so far. */
  readonly toUpstream: number;
  readonly toClient: number;
  /** Ends it from outside. */
  stop(): void;
}

export type SpliceEnd =
  | { readonly by: "client" | "upstream"; readonly error: Error | null }
  | { readonly by: "idle" | "stop" };

export interface SpliceReport {
  /** Bytes moved towards each side. */
  readonly toUpstream: number;
  readonly toClient: number;
  readonly end: SpliceEnd;
}

/** A listening socket, bound by the primary process and accepted from by the workers. */
export interface Listener {
  close(): void;
}

/** Datagrams exchanged with one peer, from a random port of our own. What is lost is lost without a word. */
export interface Datagrams {
  send(bytes: Uint8Array): void;
  /** Nothing is received any more. To be called once. */
  close(): void;
}

/** What a connection is dialled with. */
export interface DialOptions {
  /** An IP address of ours to come from; null where the system chooses. Of no concern to a unix socket. */
  readonly bind: string | null;
  /** Whether TCP asks a silent peer now and then whether it is still there (SO_KEEPALIVE). */
  readonly keepAlive: boolean;
}

/** How a connection comes about. */
export type Dials = Pick<Transport, "dial">;

export interface Transport {
  /** Counts an accepted connection among those that are open. @throws Error where there is no room for it */
  admit(client: Connection): void;
  /**
   * @param options without them, as the system does it
   * @throws Error where no connection comes about, for want of room too, or `signal` gives up
   */
  dial(to: Address, signal: AbortSignal, options?: DialOptions): Promise<Connection>;
  /** Whether a connection may be closed to make room for another one. */
  spare(connection: Connection, spare: boolean): void;
  /**
   * @param to an IP address
   * @param received hears each datagram of this peer, and of no other; must not throw
   */
  datagrams(to: Address, received: (bytes: Uint8Array) => void): Datagrams;
  /**
   * Moves bytes both ways until both directions are done, then closes both; where one side fails, the other
   * is sent what is under way and then reset. The caller lets go of both.
   */
  splice(client: Connection, upstream: Connection, limits: SpliceLimits, done: Done): Splice;
  deadline(owner: Expiring): Deadline;
}

export interface SpliceLimits {
  /** ms without a byte either way. */
  readonly idle: number;
  /** The same once one side has ended or failed, while nothing waits for a peer to read it. */
  readonly halfClosed: number;
}

export type Done = (report: SpliceReport) => void;
