/** What only OpenSSL can judge of the TLS settings: each by itself, so that the one that it refuses can be named. */
import { type SecureContextOptions, createSecureContext } from "node:tls";
import { type ConfigError, type Judged, type TlsSettings, failed } from "../../config/index.ts";
import { reason } from "../../reason.ts";

interface Trial {
  readonly by: Judged<unknown>;
  readonly options: SecureContextOptions;
  /** OpenSSL's error, where Node keeps it to itself. */
  readonly unsaid?: string;
}

function trials(settings: TlsSettings): readonly Trial[] {
  const { ciphers, ciphersuites, groups, signatureAlgorithms: signatures, dhparam } = settings;
  const revocations = settings.clients?.revocations ?? null;
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

/** The settings as Node takes them: one list for the ciphers of all versions. */
export function judgedOptions(settings: TlsSettings): SecureContextOptions {
  const options = trials(settings).map((trial) => trial.options);
  const ciphers = options.flatMap((option) => option.ciphers ?? []).join(":");
  return Object.assign({}, ...options, { ciphers });
}

/** The setting that OpenSSL refuses; null if it is none of these. */
export function blame(settings: TlsSettings): ConfigError | null {
  for (const { by, options, unsaid } of trials(settings)) {
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
