/** TLS with a client, from the first byte or after STARTTLS, and what the client's certificate is worth. */
import type { ByteString } from "../../shared/lookup.ts";
import type { LogLevel } from "../config/index.ts";
import type { Rejection } from "../limits/index.ts";
import { refuseCertificate } from "../certificates/index.ts";
import type { ProtocolHandler } from "../protocols/index.ts";
import { reason } from "../reason.ts";
import type { Client } from "./client.ts";
import type { Server } from "./server.ts";

/** A client with whom there is no conversation. */
export interface TurnedAway {
  /** What it is counted as; null where it has been counted. */
  readonly reason: Rejection | null;
  /** For the error log; null where it has been told. */
  readonly log: { readonly level: LogLevel; readonly note: string } | null;
  /** For the access log. */
  readonly why: string;
  /** Its last words to hear; null for none. */
  readonly farewell: ByteString | null;
}

/** @returns null once the connection is under TLS */
export async function secure(
  { tls, metrics }: Server,
  { connection }: Client,
): Promise<TurnedAway | null> {
  try {
    if (tls === null) throw new Error("no certificate is configured");
    await connection.acceptTls(tls);
    const session = connection.tls;
    if (session !== null) metrics.secured(session.protocol, session.resumed);
    return null;
  } catch (error) {
    return handshakeFailed(error);
  }
}

export function handshakeFailed(error: unknown): TurnedAway {
  return {
    reason: "tls",
    log: { level: "info", note: `SSL_do_handshake() failed (${reason(error)})` },
    why: "the TLS handshake failed",
    farewell: null,
  };
}

/** @returns null where the certificate will do, or nobody asks for one */
export function judgeCertificate(
  { settings }: Server,
  { connection }: Client,
  dialogue: ProtocolHandler,
): TurnedAway | null {
  const clients = settings.tls?.clients ?? null;
  const verification = connection.tls?.verification ?? null;
  if (clients === null || verification === null) return null;
  const refusal = refuseCertificate(clients, verification);
  if (refusal === null) return null;
  const { note, text } = refusal;
  return {
    reason: "client_certificate",
    log: { level: "info", note },
    why: note,
    farewell: dialogue.certificateRefused(text),
  };
}
