// A self-signed certificate for loopback.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";
import { secret } from "../secrets.ts";

/** PEM texts. */
export type Certificate = { readonly certificate: string; readonly key: string };

const tenYears = 10 * 365 * 24 * 60 * 60 * 1000;

/** @param from the beginning of its validity */
export async function selfSigned(name = "localhost", from = new Date()): Promise<Certificate> {
  const names = [
    { type: 2, value: name },
    { type: 7, ip: "127.0.0.1" },
    { type: 7, ip: "::1" },
  ] as const;
  const made = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    notBeforeDate: from,
    notAfterDate: new Date(Date.now() + tenYears),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: [...names] },
    ],
  });
  secret(made.private.split("\n")[1] ?? "");
  return { certificate: made.cert, key: made.private };
}

/** Writes a new one to `certificate.pem` and `key.pem`. */
export async function writeCertificate(directory: string, name?: string): Promise<Certificate> {
  const made = await selfSigned(name);
  await writeFile(join(directory, "certificate.pem"), made.certificate);
  await writeFile(join(directory, "key.pem"), made.key, { mode: 0o600 });
  return made;
}
