/** Reasons to disconnect a client around its TLS handshake. */
import { refuseCertificate } from "../../certificates/index.ts";
import type { ProtocolHandler } from "../../protocols/index.ts";
import { reason } from "../../reason.ts";
import type { SessionContext } from "./phase.ts";

/** @param doing nginx's words for the present step */
export function handshakeFailed(session: SessionContext, error: Error, doing: string): void {
  session.telemetry.log("info", `SSL_do_handshake() failed (${reason(error)})`, doing);
  session.telemetry.rejected("tls");
  session.end("the TLS handshake failed");
}

/** @returns false where the client's certificate ends the session */
export function checkCertificate(
  session: SessionContext,
  handler: ProtocolHandler,
  doing: string,
): boolean {
  const clients = session.server.settings.tls?.clients ?? null;
  const verification = session.client.connection.tls?.verification ?? null;
  if (clients === null || verification === null) return true;
  const refusal = refuseCertificate(clients, verification);
  if (refusal === null) return true;
  session.telemetry.log("info", refusal.note, doing);
  session.telemetry.rejected("client_certificate");
  session.end(refusal.note, handler.certificateRefused(refusal.text));
  return false;
}
