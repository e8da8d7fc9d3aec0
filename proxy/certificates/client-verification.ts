/** Clients' certificates are judged once the handshake is done, so that a refusal can be told inside it. */
import type { ClientCertificates } from "../config/index.ts";
import type { Verification } from "../transport/index.ts";

export interface Refusal {
  /** For the client, in nginx's words. */
  readonly text: string;
  /** For the log. */
  readonly note: string;
}

/** What `optional_no_ca` does not mind: self-signed, issued by nobody that is known, or not trusted. */
const WITHOUT_CA = [18, 19, 20, 21, 27];

/** @returns null for a client that may stay */
export function refuseCertificate(
  { mode }: ClientCertificates,
  { certificate, error }: Verification,
): Refusal | null {
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
