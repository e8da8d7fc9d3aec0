/** What a lookup tells of the client's TLS, in nginx's order. */
import { escapeValue } from "../../shared/lookup.ts";
import type { TlsSession, Verification } from "../transport/index.ts";

/**
 * @param pass whether the certificate itself is told as well
 * @param eightBit whether bytes beyond ASCII are escaped
 */
export function tlsHeaders(tls: TlsSession, pass: boolean, eightBit: boolean): readonly string[] {
  const lines = [
    "Auth-SSL: on",
    `Auth-SSL-Protocol: ${tls.protocol}`,
    `Auth-SSL-Cipher: ${tls.cipher}`,
  ];
  const { verification } = tls;
  if (verification === null) return lines;
  lines.push(`Auth-SSL-Verify: ${verdict(verification)}`);
  const { certificate } = verification;
  if (certificate === null) return lines;
  const facts = {
    Subject: certificate.subject,
    Issuer: certificate.issuer,
    Serial: certificate.serial,
    Fingerprint: certificate.fingerprint,
    Cert: pass ? escapeValue(certificate.pem, eightBit) : "",
  };
  for (const [name, value] of Object.entries(facts)) {
    if (value !== "") lines.push(`Auth-SSL-${name}: ${value}`);
  }
  return lines;
}

function verdict({ certificate, error }: Verification): string {
  if (certificate === null) return "NONE";
  return error === null ? "SUCCESS" : `FAILED:${error.reason}`;
}
