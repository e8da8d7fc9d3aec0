/** The reasons why a handshake with a server failed, in nginx's words. */
import { type PeerCertificate, checkServerIdentity } from "node:tls";
import { reason } from "../../reason.ts";
import { asVerifyError } from "./x509/verify-error.ts";

/** Characters of a certificate's names in an error. */
const LONGEST_NAMES = 200;

/** The certificate is for another name. */
class WrongName extends Error {}

/** @returns undefined for a certificate with that name */
export function checkName(name: string, certificate: PeerCertificate): Error | undefined {
  if (checkServerIdentity(name, certificate) === undefined) return undefined;
  return new WrongName(`does not match "${name}": it is for ${names(certificate)}`);
}

function names({ subjectaltname, subject }: PeerCertificate): string {
  const all = subjectaltname ?? `CN=${[subject.CN].flat().join(", CN=")}`;
  return all.length > LONGEST_NAMES ? `${all.slice(0, LONGEST_NAMES)}...` : all;
}

/** @param peer the server as the error names it; null for no name */
export function explained(error: unknown, peer: string | null): Error {
  const why = error instanceof Error ? error : new Error(String(error));
  const text = words(why, peer === null ? "SSL certificate" : `${peer} SSL certificate`);
  return text === null ? why : new Error(text, { cause: why });
}

/** @returns null if the error's own text is clear */
function words(error: Error, certificate: string): string | null {
  if (error instanceof WrongName) return `${certificate} ${error.message}`;
  const verification = asVerifyError(error);
  if (verification !== null) {
    return `${certificate} verify error: (${verification.code}:${verification.reason})`;
  }
  if ("library" in error) return `SSL_do_handshake() failed (${reason(error)})`;
  // Node's error for a server that closes during the handshake names no system call.
  const closed = "code" in error && error.code === "ECONNRESET" && !("syscall" in error);
  return closed ? "peer closed connection in SSL handshake" : null;
}
