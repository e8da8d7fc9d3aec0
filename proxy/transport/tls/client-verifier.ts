/** Clients' certificates: what OpenSSL thinks of them, and what Node does not ask it. */
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { ClientCertificates } from "../../config/index.ts";
import type { Verification, VerifyError } from "../connection.ts";
import { CertificateFacts } from "./certificate-facts.ts";
import {
  EXPIRED,
  NO_ISSUER,
  NO_LOCAL_ISSUER,
  SELF_SIGNED_IN_CHAIN,
  isAboutTrust,
  verifyError,
} from "./verify-error.ts";

export class ClientVerifier {
  readonly #depth: number;
  readonly #trusted: readonly X509Certificate[];
  /** Connections in the handshake, and the last one that has left it. */
  readonly #handshaking = new Set<TLSSocket>();
  #latest: TLSSocket | null = null;

  constructor({ depth, authorities }: ClientCertificates) {
    this.#depth = depth;
    this.#trusted = authorities.map((pem) => new X509Certificate(pem));
  }

  /** From the beginning of the handshake on. */
  watch(secured: TLSSocket): void {
    this.#handshaking.add(secured);
    secured.once("close", () => this.#handshaking.delete(secured));
    secured.once("secure", () => {
      this.#handshaking.delete(secured);
      this.#latest = secured;
      setImmediate(() => {
        if (this.#latest === secured) this.#latest = null;
      });
    });
  }

  verify(secured: TLSSocket): Verification {
    const certificate = secured.getPeerX509Certificate();
    if (certificate === undefined) return { certificate: null, error: null };
    return {
      certificate: new CertificateFacts(certificate),
      error: this.#error(secured, certificate),
    };
  }

  /**
   * Whether the client that is about to get a ticket may have one. A ticket holds the certificate and what
   * OpenSSL thought of it, but not the chain, so that whose chain is too long must not come back with one.
   *
   * OpenSSL does not say for which connection it asks: with TLS 1.2 it is the only one that has heard the
   * client's last message of the handshake and not ended it; with TLS 1.3, the one that has just ended it.
   */
  mayResume(): boolean {
    const ending = [...this.#handshaking].find((socket) => socket.getPeerFinished() !== undefined);
    const client = ending ?? this.#latest;
    if (client === null) return false;
    const certificate = client.getPeerX509Certificate();
    return certificate === undefined || this.#tooLong(certificate) === null;
  }

  #error(secured: TLSSocket, certificate: X509Certificate): VerifyError | null {
    const error = verifyError(secured);
    if (isAboutTrust(error)) {
      const tooLong = this.#tooLong(certificate);
      if (tooLong !== null) return tooLong;
    }
    // A chain of resumptions may outlive the certificate that it began with.
    if (error === null && certificate.validToDate.getTime() < Date.now()) return EXPIRED;
    return error;
  }

  /**
   * Node has no SSL_CTX_set_verify_depth(3). OpenSSL builds the chain from the client's certificate on, with
   * trusted ones where it can, and looks for no further issuer once there are `depth` between the two ends. As
   * nginx lets it go on after CERT_CHAIN_TOO_LONG, what it tells in the end is the issuer that it did not find.
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

/** What the client sent behind its certificate. */
function chainOf(certificate: X509Certificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = certificate.issuerCertificate;
  while (next !== undefined) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
