/** The fields of a certificate as nginx sends them in lookups. Most are never used, so none is kept. */
import type { X509Certificate } from "node:crypto";
import type { ByteString } from "../../../../shared/lookup.ts";
import { encoded } from "../../../bytes.ts";
import type { PeerCertificate } from "../../connection.ts";
import { nameValues } from "./der.ts";
import { distinguishedName } from "./distinguished-name.ts";

export class CertificateFacts implements PeerCertificate {
  readonly #certificate: X509Certificate;

  constructor(certificate: X509Certificate) {
    this.#certificate = certificate;
  }

  get commonName(): ByteString | null {
    const { CN: given } = this.#certificate.toLegacyObject().subject;
    const [name] = Array.isArray(given) ? given : [given];
    return name === undefined ? null : encoded(name);
  }

  get subject(): string {
    const { subject, raw } = this.#certificate;
    return distinguishedName(subject, nameValues(raw, "subject"));
  }

  get issuer(): string {
    const { issuer, raw } = this.#certificate;
    return distinguishedName(issuer, nameValues(raw, "issuer"));
  }

  get serial(): string {
    const { serialNumber } = this.#certificate;
    // OpenSSL writes complete bytes, Node one digit for zero.
    return serialNumber === "0" ? "00" : serialNumber;
  }

  get fingerprint(): string {
    return this.#certificate.fingerprint.replaceAll(":", "").toLowerCase();
  }

  get pem(): string {
    return this.#certificate.toString();
  }
}
