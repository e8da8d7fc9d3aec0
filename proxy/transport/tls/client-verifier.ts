/** Verifies clients' certificates: OpenSSL's verdict, and the checks that Node does not let OpenSSL make. */
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Verification, VerifyError } from "../connection.ts";
import { CertificateFacts } from "./x509/certificate-facts.ts";
import type { ClientCertificateOptions } from "./options.ts";
import {
  EXPIRED,
  NO_ISSUER,
  NO_LOCAL_ISSUER,
  SELF_SIGNED_IN_CHAIN,
  isAboutTrust,
  verifyError,
} from "./x509/verify-error.ts";

export class ClientVerifier {
  readonly #depth: number;
  readonly #trusted: readonly X509Certificate[];
  /** Connections in the handshake. */
  readonly #handshaking = new Set<TLSSocket>();
  /** The last connection that has finished its handshake, for one turn of the event loop. */
  #latest: TLSSocket | null = null;
  /** Listeners for all sockets. */
  readonly #onClose: (this: TLSSocket) => void;
  readonly #onSecure: (this: TLSSocket) => void;

  constructor({ depth, authorities }: ClientCertificateOptions) {
    this.#depth = depth;
    this.#trusted = authorities.map((pem) => new X509Certificate(pem));
    const handshaking = this.#handshaking;
    const finished = (secured: TLSSocket): void => this.#finished(secured);
    this.#onClose = function () {
      handshaking.delete(this);
    };
    this.#onSecure = function () {
      finished(this);
    };
  }

  /** Follows a connection from the beginning of its handshake. */
  watch(secured: TLSSocket): void {
    this.#handshaking.add(secured);
    secured.once("close", this.#onClose);
    secured.once("secure", this.#onSecure);
  }

  #finished(secured: TLSSocket): void {
    this.#handshaking.delete(secured);
    this.#latest = secured;
    setImmediate(this.#forget, secured);
  }

  readonly #forget = (secured: TLSSocket): void => {
    if (this.#latest === secured) this.#latest = null;
  };

  verify(secured: TLSSocket): Verification {
    const certificate = secured.getPeerX509Certificate();
    if (certificate === undefined) return { certificate: null, error: null };
    return {
      certificate: new CertificateFacts(certificate),
      error: this.#error(secured, certificate),
    };
  }

  /**
   * True if the client that is about to get a ticket may have one. A ticket holds the certificate and OpenSSL's
   * verdict, but not the chain, so a client with a chain that is too long must not resume with a ticket.
   *
   * OpenSSL does not say which connection the ticket is for. With TLS 1.2 it is the only one that has received
   * the client's last message of the handshake and not finished; with TLS 1.3, the one that has just finished.
   */
  mayResume(): boolean {
    const client = this.#finishing() ?? this.#latest;
    if (client === null) return false;
    const certificate = client.getPeerX509Certificate();
    return certificate === undefined || this.#tooLong(certificate) === null;
  }

  /** The connection that has received the client's last message of a TLS 1.2 handshake. */
  #finishing(): TLSSocket | null {
    for (const socket of this.#handshaking)
      if (socket.getPeerFinished() !== undefined) return socket;
    return null;
  }

  #error(secured: TLSSocket, certificate: X509Certificate): VerifyError | null {
    const error = verifyError(secured);
    if (isAboutTrust(error)) {
      const tooLong = this.#tooLong(certificate);
      if (tooLong !== null) return tooLong;
    }
    // Resumptions can go on beyond the expiry of the certificate that the first handshake verified.
    if (error === null && certificate.validToDate.getTime() < Date.now()) return EXPIRED;
    return error;
  }

  /**
   * Node has no SSL_CTX_set_verify_depth(3). OpenSSL builds the chain from the client's certificate, prefers
   * trusted issuers, and stops once `depth` certificates lie between the two ends. nginx lets OpenSSL go on after
   * CERT_CHAIN_TOO_LONG, so OpenSSL's last error is the issuer that it did not find.
   */
  #tooLong(certificate: X509Certificate): VerifyError | null {
    const sent = chainOf(certificate);
    const chain = new Set([certificate]);
    let last = certificate;
    while (!isSelfSigned(last) && chain.size < this.#depth + 2) {
      const issued = (by: X509Certificate): boolean => !chain.has(by) && last.checkIssued(by);
      const issuer = this.#trusted.find(issued) ?? sent.find(issued);
      if (issuer === undefined) return null;
      chain.add(issuer);
      last = issuer;
    }
    if (chain.size < this.#depth + 2) return null;
    if (isSelfSigned(last)) return this.#trusts(last) ? null : SELF_SIGNED_IN_CHAIN;
    return this.#trusts(last) ? NO_ISSUER : NO_LOCAL_ISSUER;
  }

  #trusts({ fingerprint256 }: X509Certificate): boolean {
    return this.#trusted.some((trusted) => trusted.fingerprint256 === fingerprint256);
  }
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate);
}

/** The certificates that the client sent after its own. */
function chainOf(certificate: X509Certificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = certificate.issuerCertificate;
  while (next !== undefined) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
