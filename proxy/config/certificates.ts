/** Certificates and keys: read when the configuration is, so that a mistake shows at `-t`. */
import { type KeyObject, X509Certificate, createPrivateKey } from "node:crypto";
import { ConfigError, type Place } from "./error.ts";
import { readText } from "./files.ts";
import { reason } from "../reason.ts";
import type { KeyPair } from "./settings.ts";
import type { ServerValues } from "./table.ts";

/**
 * The key pairs of a server that speaks TLS; none for one that does not.
 *
 * @throws ConfigError for one that is missing, unreadable, or whose halves do not belong together
 */
export function readKeyPairs(server: ServerValues, place: Place): readonly KeyPair[] {
  const { listen, starttls, ssl_certificate, ssl_certificate_key } = server;
  if (starttls === "off" && !listen.some(({ ssl }) => ssl)) return [];
  const user = starttls === "off" ? '"listen ... ssl"' : '"starttls"';

  if (ssl_certificate.length === 0) {
    throw new ConfigError(`no "ssl_certificate" is defined for the ${user} directive`, place);
  }
  if (ssl_certificate_key.length === 0) {
    throw new ConfigError(`no "ssl_certificate_key" is defined for the ${user} directive`, place);
  }
  return ssl_certificate.map((path, index) => {
    const keyPath = ssl_certificate_key[index];
    if (keyPath === undefined) {
      throw new ConfigError(
        `no "ssl_certificate_key" is defined for certificate "${path}" and the ${user} directive`,
        place,
      );
    }
    return readKeyPair(path, keyPath, server.ssl_password_file);
  });
}

function readKeyPair(path: string, keyPath: string, passwords: readonly string[]): KeyPair {
  const [certificate, leaf] = load(
    `certificate "${path}"`,
    path,
    (pem) => new X509Certificate(pem),
  );
  const [, secret] = load(`certificate key "${keyPath}"`, keyPath, (pem) =>
    decrypt(pem, passwords),
  );
  if (!leaf.checkPrivateKey(secret)) {
    throw new ConfigError(
      `SSL_CTX_use_PrivateKey("${keyPath}") failed (key values mismatch: it is not the key of "${path}")`,
    );
  }
  return { certificate, key: secret.export({ type: "pkcs8", format: "pem" }) };
}

/** Tries each pass phrase in turn, as nginx does; without one a terminal would be asked. */
function decrypt(pem: string, passwords: readonly string[]): KeyObject {
  if (!pem.includes("ENCRYPTED")) return createPrivateKey(pem);
  let failure: unknown = new Error("it is encrypted, and no ssl_password_file opens it");
  for (const passphrase of passwords) {
    try {
      return createPrivateKey({ key: pem, passphrase });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function load<Parsed>(
  what: string,
  path: string,
  parse: (pem: string) => Parsed,
): readonly [pem: string, parsed: Parsed] {
  try {
    const pem = readText(path);
    return [pem, parse(pem)];
  } catch (error) {
    throw new ConfigError(`cannot load ${what}: ${reason(error)}`);
  }
}
