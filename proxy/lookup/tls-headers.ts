/** The lines of a lookup about the client's TLS, in nginx's order. */
import { escapeValue } from "../../shared/lookup.ts";
import type { TlsSession, Verification } from "../transport/index.ts";

/**
 * @param pass true where the certificate itself is sent as well
 * @param eightBit true where bytes beyond ASCII are escaped
 * @returns lines, each with its end
 */
export function tlsHeaders(tls: TlsSession, pass: boolean, eightBit: boolean): string {
  let lines = `Auth-SSL: on\r\nAuth-SSL-Protocol: ${tls.protocol}\r\nAuth-SSL-Cipher: ${tls.cipher}\r\n`;
  const { verification } = tls;
  if (verification === null) return lines;
  lines += `Auth-SSL-Verify: ${verdict(verification)}\r\n`;
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
    if (value !== "") lines += `Auth-SSL-${name}: ${value}\r\n`;
  }
  return lines;
}

function verdict({ certificate, error }: Verification): string {
  if (certificate === null) return "NONE";
  return error === null ? "SUCCESS" : `FAILED:${error.reason}`;
}
