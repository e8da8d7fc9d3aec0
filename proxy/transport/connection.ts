/**
 * The byte layer's contract. Code above `transport/` knows connections only by these interfaces, so that a
 * second transport can take the place of Node's sockets.
 */
import type { ByteString } from "../../shared/lookup.ts";

export interface Address {
  /** An IP address without brackets, a name, or `unix:` and a socket's path (`unix:` alone for a client). */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
}

/** A finished TLS handshake, in OpenSSL's names. */
export interface TlsSession {
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly protocol: string;
  readonly cipher: string;
  /** The name that the client asked for (SNI, RFC 6066 section 3), unverified, or null. */
  readonly serverName: string | null;
  /** The protocol agreed upon by ALPN (RFC 7301), or null. */
  readonly alpn: string | null;
  readonly resumed: boolean;
  /** The algorithms of our certificate; worked out when asked for. */
  certificate(): CertificateAlgorithms | null;
  /** The verdict on the client's certificate; null where none was requested. */
  readonly verification: Verification | null;
}

export interface Verification {
  /** Null where the client sent none. */
  readonly certificate: PeerCertificate | null;
  /** The reason OpenSSL does not trust the certificate; null for a trusted or absent one. */
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

/** The owner of a connection's events. A connection has one receiver at a time. */
export interface Receiver {
  /** Bytes arrived. They are valid until the call returns; a receiver that keeps them makes a copy. */
  received(bytes: Uint8Array): void;
  /** The kernel has taken all that was written; after `end`, FIN too. */
  drained(): void;
  /** The peer will send no more (FIN, `close_notify`); the peer may still read. */
  ended(): void;
  /** The connection is gone, with the error that ended it, or null. Always the last event. */
  closed(error: Error | null): void;
}

/** A receiver that waits for a TLS handshake. A handshake that fails ends in `closed`. */
export interface TlsReceiver extends Receiver {
  /** The handshake is done; `Connection.tls` describes it. */
  secured(): void;
}

/** A receiver that waits for a dialled connection. A dial that fails ends in `closed`. */
export interface DialReceiver extends Receiver {
  /** The connection is established. Through a tunnel it is paused, and may hold bytes that have arrived already. */
  connected(): void;
}

/** TLS as a server: certificates, ticket keys and versions. Made once, used by many connections. */
export interface ServerTls {
  readonly kind: "server";
}

/** TLS as a client: the trusted authorities. Made once, used by many connections. */
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
  /** True once the peer has sent its last byte. */
  readonly finished: boolean;
  receiver: Receiver;

  /**
   * @param bytes stay as they are until `drained`
   * @returns true where the kernel has taken everything; otherwise `drained` follows
   */
  write(bytes: Uint8Array | ByteString): boolean;
  pause(): void;
  resume(): void;
  /** Puts bytes back that belong to the next receiver, or to a handshake. The connection is then paused. */
  unread(bytes: Uint8Array): void;
  /** Sends what is queued, then FIN; reading goes on. */
  end(): void;
  /** Sends what is queued, then closes; what still arrives is dropped. No more events come. */
  close(): void;
  /**
   * Ends with RST, and without TLS's `close_notify`, which would call the end an orderly one: at once, or two
   * seconds after the last `write`, since RST overtakes bytes under way. No more events come.
   */
  reset(): void;
  /** Closes at once and drops what is queued. No more events come. */
  destroy(): void;
  /** Answers the peer's TLS handshake. No bytes are received until the handshake is done. */
  acceptTls(tls: ServerTls, receiver: TlsReceiver): void;
  /**
   * Opens TLS with the peer.
   *
   * @param name the host name or address that the peer's certificate must be for
   */
  connectTls(tls: ClientTls, name: string, receiver: TlsReceiver): void;
}

/** A time limit that is cheap to move. It fires once each time it is set. */
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

/** Datagrams exchanged with one peer, from a random local port. A lost datagram is not reported. */
export interface Datagrams {
  send(bytes: Uint8Array): void;
  /** Ends reception. Called once. */
  close(): void;
}

/** Socket options of a dialled connection. */
export interface DialOptions {
  /** The local IP address; null where the system chooses. Unix sockets ignore it. */
  readonly bind: string | null;
  /** SO_KEEPALIVE. */
  readonly keepAlive: boolean;
}

export interface Transport {
  /** Counts an accepted connection among those that are open. @throws NoRoom beyond the limit */
  admit(client: Connection): void;
  /**
   * Opens a connection. To give up, destroy the connection.
   *
   * @param options those of the system where absent
   * @throws NoRoom beyond the limit; SourceError where the address to come from is of no use
   */
  dial(to: Address, receiver: DialReceiver, options?: DialOptions): Connection;
  /** Marks a connection that may be closed to make room for another one. */
  spare(connection: Connection, spare: boolean): void;
  /**
   * @param to an IP address
   * @param received hears each datagram of this peer, and of no other; must not throw
   */
  datagrams(to: Address, received: (bytes: Uint8Array) => void): Datagrams;
  /**
   * Moves bytes both ways until both directions are done, then closes both connections; where one side fails,
   * the other is sent the bytes under way and then reset. The caller lets go of both.
   */
  splice(
    client: Connection,
    upstream: Connection,
    limits: SpliceLimits,
    owner: SpliceOwner,
  ): Splice;
  deadline(owner: Expiring): Deadline;
}

export interface SpliceLimits {
  /** ms without a byte either way. */
  readonly idle: number;
  /** ms, once one side has ended or failed and no peer has bytes left to read. */
  readonly halfClosed: number;
}

export interface SpliceOwner {
  /** Both directions are done. May be called before `splice` returns. */
  spliced(report: SpliceReport): void;
}

/** Opens a connection, directly or through a tunnel; throws as `Transport.dial` does. */
export type Dial = (to: Address, receiver: DialReceiver) => Connection;
