/** `ssl_verify_client`: a client's certificate is judged after the handshake, so that the client can read the refusal. */
import type { ClientCertificateMode } from "../config/index.ts";
import type { Verification } from "../transport/index.ts";

export interface CertificateRefusal {
  /** For the client, in nginx's words. */
  readonly text: string;
  /** For the log. */
  readonly note: string;
}

/** Errors that `optional_no_ca` accepts: the certificate is self-signed, or its issuer is unknown or not trusted. */
const WITHOUT_CA = [18, 19, 20, 21, 27];

/** @returns null for a client that may stay */
export function refuseCertificate(
  { mode }: { readonly mode: ClientCertificateMode },
  { certificate, error }: Verification,
): CertificateRefusal | null {
  if (error !== null && !(mode === "optional_no_ca" && WITHOUT_CA.includes(error.code))) {
    const note = `client SSL certificate verify error: (${error.code}:${error.reason})`;
    return { text: "SSL certificate error", note };
  }
  if (mode !== "on" || certificate !== null) return null;
  return {
    text: "No required SSL certificate",
    note: "client sent no required SSL certificate",
  };
}
