/** The algorithms of a certificate, in the spelling of the PROXY protocol. */
import type { X509Certificate } from "node:crypto";
import type { CertificateAlgorithms } from "../../connection.ts";

/** Bits in a key, by curve. */
const CURVES: Readonly<Record<string, number>> = {
  prime256v1: 256,
  secp384r1: 384,
  secp521r1: 521,
};

export function algorithms(certificate: X509Certificate | undefined): CertificateAlgorithms | null {
  if (certificate === undefined) return null;
  const { signatureAlgorithm = "", publicKey } = certificate;
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  const bits = modulusLength ?? CURVES[namedCurve ?? ""] ?? "";
  return {
    // Node has OpenSSL's long names, which differ from the short ones for RSA only.
    signature: signatureAlgorithm.replace(/^sha(\d+)WithRSAEncryption$/, "RSA-SHA$1"),
    key: `${(publicKey.asymmetricKeyType ?? "").toUpperCase()}${bits}`,
  };
}
