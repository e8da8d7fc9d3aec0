/** A context of TLS as a client: the authorities that it trusts, and the options of the handshake. */
import { type SecureContext, createSecureContext } from "node:tls";
import { contextOptions, refusedOption } from "./context-options.ts";
import type { ClientTlsOptions } from "./options.ts";

/** @throws TlsOptionError where OpenSSL refuses an option, and OpenSSL's error otherwise */
export function createClientContext(options: ClientTlsOptions): SecureContext {
  return create(options, options.trusted ?? undefined);
}

/**
 * Makes a context to see whether OpenSSL accepts the options, without the well-known authorities, which take time
 * to load.
 *
 * @throws TlsOptionError where OpenSSL refuses an option, and OpenSSL's error otherwise
 */
export function checkClientContext(options: ClientTlsOptions): void {
  create(options, options.trusted ?? []);
}

/** @param authorities undefined for the well-known ones and the system's */
function create(
  { parameters, keyPairs = [], revocations = null }: ClientTlsOptions,
  authorities: string | string[] | undefined,
): SecureContext {
  try {
    return createSecureContext({
      ca: authorities,
      ...(parameters === undefined ? {} : contextOptions(parameters, keyPairs, revocations)),
    });
  } catch (error) {
    throw (parameters === undefined ? null : refusedOption(parameters, revocations)) ?? error;
  }
}
