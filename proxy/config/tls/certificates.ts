/** The certificates that a server's directives name. */
import { ConfigError, type Place } from "../error.ts";
import { type TlsFiles, shownFile } from "./files.ts";
import { KeyPairs } from "./key-pairs.ts";
import type { PlaceOf, TlsValues } from "./ssl.ts";

/** The directive that makes a server speak TLS. */
export interface TlsUser {
  readonly name: "listen ... ssl" | "starttls";
  readonly place: Place;
}

/**
 * The pairs of `ssl_certificate` and `ssl_certificate_key`: the n-th with the n-th.
 *
 * @throws ConfigError for one that is missing, unreadable, or whose halves do not belong together
 */
export function readKeyPairs(
  values: TlsValues,
  user: TlsUser,
  files: TlsFiles,
  placeOf: PlaceOf,
): KeyPairs {
  const { ssl_certificate, ssl_certificate_key, ssl_password_file } = values;
  const missing = (directive: string, owner = ""): ConfigError =>
    new ConfigError(
      `no "${directive}" is defined for ${owner}the "${user.name}" directive`,
      user.place,
    );
  const last = ssl_certificate.at(-1);
  if (last === undefined) throw missing("ssl_certificate");
  if (ssl_certificate_key.length === 0) throw missing("ssl_certificate_key");
  if (ssl_certificate_key.length < ssl_certificate.length) {
    throw missing("ssl_certificate_key", `certificate "${shownFile(last)}" and `);
  }
  const pairs = new KeyPairs();
  const place = placeOf("ssl_certificate_key");
  for (const [index, certificate] of ssl_certificate.entries()) {
    const chain = files.chain(certificate, placeOf("ssl_certificate"));
    const key = files.key(ssl_certificate_key[index] ?? "", ssl_password_file, place);
    pairs.add(chain, key, place);
  }
  return pairs;
}
