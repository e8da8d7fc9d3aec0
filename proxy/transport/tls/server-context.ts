/** A context of TLS as a server: the certificates that it shows, and the options of the handshake. */
import { createHash } from "node:crypto";
import { type SecureContext, createSecureContext } from "node:tls";
import { contextOptions, refusedOption } from "./context-options.ts";
import type { KeyPair, ServerTlsOptions } from "./options.ts";

export type ServerContext = SecureContext;

/** Seconds. Node accepts no longer timeout. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** SSL_MAX_SID_CTX_LENGTH, bytes. */
const LONGEST_ID_CONTEXT = 32;

/** @throws TlsOptionError where OpenSSL refuses an option, and OpenSSL's error where it refuses a pair */
export function createServerContext(
  options: ServerTlsOptions,
  keyPairs: readonly KeyPair[],
): ServerContext {
  const { clients, certificateCompression, sessionTimeout } = options;
  const revocations = clients?.revocations ?? null;
  try {
    return createSecureContext({
      ...contextOptions(options, keyPairs, revocations),
      // An empty list keeps Node from trusting the well-known authorities.
      ca: [...(clients?.authorities ?? [])],
      sessionTimeout: Math.min(Math.max(1, sessionTimeout), LONGEST_TIMEOUT),
      sessionIdContext: sessionIdContext(options, keyPairs),
      ...(certificateCompression ? { certificateCompression: ["zstd", "brotli", "zlib"] } : {}),
    });
  } catch (error) {
    throw refusedOption(options, revocations) ?? error;
  }
}

/**
 * Limits resumption to servers with the same certificates and the same demands on clients' certificates. All
 * servers share ticket keys, and the client of one server must not pass for verified at another.
 */
function sessionIdContext({ clients }: ServerTlsOptions, keyPairs: readonly KeyPair[]): string {
  const same = JSON.stringify([keyPairs.map(({ certificate }) => certificate), clients]);
  return createHash("sha256").update(same).digest("base64url").slice(0, LONGEST_ID_CONTEXT);
}
