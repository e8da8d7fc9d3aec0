// Writes an RSA-2048 certificate. Those of the tests are EC.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

/** @returns the paths of the PEM files */
export async function writeRsaCertificate(
  directory: string,
): Promise<{ certificate: string; key: string }> {
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "rsa",
    keySize: 2048,
    algorithm: "sha256",
  });
  const certificate = join(directory, "rsa-certificate.pem");
  const key = join(directory, "rsa-key.pem");
  await writeFile(certificate, made.cert);
  await writeFile(key, made.private, { mode: 0o600 });
  return { certificate, key };
}
