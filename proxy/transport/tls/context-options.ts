/** TLS options as Node's OpenSSL takes them, and the one that OpenSSL refuses. */
import { type SecureContextOptions, createSecureContext } from "node:tls";
import { reason } from "../../reason.ts";
import type { KeyPair, TlsParameters } from "./options.ts";

type Revocations = readonly string[] | null;

/** The options that only OpenSSL can check. */
export type CheckedOption =
  | "ciphers"
  | "ciphersuites"
  | "groups"
  | "signatureAlgorithms"
  | "dhparam"
  | "revocations";

/** OpenSSL refuses the value of one option. */
export class TlsOptionError extends Error {
  override name = "TlsOptionError";
  readonly option: CheckedOption;
  /** OpenSSL's error. */
  readonly why: string;

  constructor(option: CheckedOption, why: string) {
    super(`OpenSSL refuses the ${option} of TLS (${why})`);
    this.option = option;
    this.why = why;
  }
}

/** One option by itself, so that the one that OpenSSL refuses can be named. */
interface Part {
  readonly option: CheckedOption;
  readonly options: SecureContextOptions;
  /** OpenSSL's error, where Node does not pass it on. */
  readonly hidden?: string;
}

function parts(parameters: TlsParameters, revocations: Revocations): readonly Part[] {
  const { ciphers, ciphersuites, groups, signatureAlgorithms: signatures, dhparam } = parameters;
  const all: Part[] = [{ option: "ciphers", options: { ciphers: withoutSuites(ciphers) } }];
  if (ciphersuites !== null) {
    all.push({ option: "ciphersuites", options: { ciphers: ciphersuites } });
  }
  all.push({
    option: "groups",
    options: { ecdhCurve: groups },
    hidden: "error:0A080106:SSL routines::passed invalid argument",
  });
  if (signatures !== null) {
    all.push({
      option: "signatureAlgorithms",
      options: { sigalgs: signatures },
      hidden: "error:0A000180:SSL routines::bad value",
    });
  }
  if (dhparam !== null) all.push({ option: "dhparam", options: { dhparam } });
  if (revocations !== null) {
    all.push({ option: "revocations", options: { crl: [...revocations] } });
  }
  return all;
}

/** @param revocations of the peer's certificates */
export function contextOptions(
  parameters: TlsParameters,
  keyPairs: readonly KeyPair[],
  revocations: Revocations,
): SecureContextOptions {
  const options = parts(parameters, revocations).map((part) => part.options);
  return Object.assign({}, ...options, {
    // Node takes one list for the ciphers of all versions.
    ciphers: options.flatMap((option) => option.ciphers ?? []).join(":"),
    cert: keyPairs.map(({ certificate }) => certificate),
    key: keyPairs.map(({ key }) => key),
    // The bits turn versions off.
    minVersion: "TLSv1",
    maxVersion: "TLSv1.3",
    secureOptions: parameters.bits.reduce((sum, bit) => sum + 2 ** bit, 0),
  } satisfies SecureContextOptions);
}

/** @returns null where OpenSSL accepts each option by itself */
export function refusedOption(
  parameters: TlsParameters,
  revocations: Revocations,
): TlsOptionError | null {
  for (const { option, options, hidden } of parts(parameters, revocations)) {
    try {
      createSecureContext({ ca: [], ...options });
    } catch (error) {
      const why = reason(error);
      return new TlsOptionError(option, why.startsWith("SSL: ") ? why : (hidden ?? why));
    }
  }
  return null;
}

/**
 * Node takes names of TLS 1.3 suites for the complete choice of that version; OpenSSL ignores them in a list of
 * ciphers. Node replaces an empty list by its default; OpenSSL refuses it, and a list that selects nothing.
 */
function withoutSuites(list: string): string {
  const names = list.split(":").filter((name) => name !== "" && !/^!?TLS_/.test(name));
  return names.length === 0 ? "!ALL" : names.join(":");
}
