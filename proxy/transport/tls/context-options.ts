/** TLS settings as Node's OpenSSL takes them, and which of them it refuses. */
import { type SecureContextOptions, createSecureContext } from "node:tls";
import type { ConfigError, Judged, TlsParameters } from "../../config/index.ts";
import { failed } from "../../config/tls/openssl-errors.ts";
import { reason } from "../../reason.ts";

type Revocations = Judged<readonly string[]> | null;

/** What only OpenSSL can judge: each by itself, so that the one that it refuses can be named. */
interface Trial {
  readonly by: Judged<unknown>;
  readonly options: SecureContextOptions;
  /** OpenSSL's error, where Node keeps it to itself. */
  readonly unsaid?: string;
}

function trials(parameters: TlsParameters, revocations: Revocations): readonly Trial[] {
  const { ciphers, ciphersuites, groups, signatureAlgorithms: signatures, dhparam } = parameters;
  const all: Trial[] = [{ by: ciphers, options: { ciphers: withoutSuites(ciphers.value) } }];
  if (ciphersuites !== null)
    all.push({ by: ciphersuites, options: { ciphers: ciphersuites.value } });
  all.push({
    by: groups,
    options: { ecdhCurve: groups.value },
    unsaid: "error:0A080106:SSL routines::passed invalid argument",
  });
  if (signatures !== null) {
    all.push({
      by: signatures,
      options: { sigalgs: signatures.value },
      unsaid: "error:0A000180:SSL routines::bad value",
    });
  }
  if (dhparam !== null) all.push({ by: dhparam, options: { dhparam: dhparam.value } });
  if (revocations !== null) all.push({ by: revocations, options: { crl: [...revocations.value] } });
  return all;
}

/** @param revocations of the peer's certificates */
export function contextOptions(
  parameters: TlsParameters,
  revocations: Revocations,
): SecureContextOptions {
  const { keyPairs, options: bits } = parameters;
  const options = trials(parameters, revocations).map((trial) => trial.options);
  return Object.assign({}, ...options, {
    // One list for the ciphers of all versions.
    ciphers: options.flatMap((option) => option.ciphers ?? []).join(":"),
    cert: keyPairs.map(({ certificate }) => certificate),
    key: keyPairs.map(({ key }) => key),
    // Which versions there are is said by the options.
    minVersion: "TLSv1",
    maxVersion: "TLSv1.3",
    secureOptions: bits.reduce((sum, bit) => sum + 2 ** bit, 0),
  } satisfies SecureContextOptions);
}

/** The setting that OpenSSL refuses; null if it is none of these. */
export function blame(parameters: TlsParameters, revocations: Revocations): ConfigError | null {
  for (const { by, options, unsaid } of trials(parameters, revocations)) {
    try {
      createSecureContext(options);
    } catch (error) {
      const said = reason(error);
      const known = said.startsWith("SSL: ");
      return failed(by.call, known ? said : (unsaid ?? said), by.place);
    }
  }
  return null;
}

/**
 * Node takes names of TLS 1.3 for the whole choice of that version; to OpenSSL they are no ciphers. And Node
 * takes an empty list for its own; to OpenSSL it is an error, as is one that leaves nothing.
 */
function withoutSuites(list: string): string {
  const names = list.split(":").filter((name) => name !== "" && !/^!?TLS_/.test(name));
  return names.length === 0 ? "!ALL" : names.join(":");
}
