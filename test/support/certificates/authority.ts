// Certificates made by openssl: authorities, the certificates that they issue, and revocation lists.
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Certificate } from "./certificate.ts";

export type IssueOptions = {
  /** The issuer; a certificate without one is self-signed. */
  readonly by?: Certificate;
  /** True for an authority. */
  readonly ca?: boolean;
  readonly rsa?: boolean;
  /** True for an RSA key; EC otherwise. */
  readonly bits?: number;
  /** Subject alternative names: `DNS:mail.test, IP:127.0.0.1`. */
  readonly names?: string;
  /** Extended key usage: `serverAuth`, `clientAuth`. */
  readonly usage?: string;
  /** -1 for one that has expired. */
  readonly days?: number;
  readonly serial?: string;
};

/** A subject in openssl's own form (`/C=DE/O=Acme/CN=anna`, with `+` between the values of one RDN). */
export function issue(subject: string, options: IssueOptions = {}): Certificate {
  const { by, ca = false, days = 30, serial = `0x${randomSerial()}` } = options;
  const { rsa = false, bits = 2048, names, usage } = options;
  const { privateKey } = rsa
    ? generateKeyPairSync("rsa", { modulusLength: bits })
    : generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  return inScratch((directory, openssl) => {
    write(directory, {
      key,
      config: [
        `${REQUEST}basicConstraints = critical, CA:${ca}\n`,
        names === undefined ? "" : `subjectAltName = ${names}\n`,
        usage === undefined ? "" : `extendedKeyUsage = ${usage}\n`,
      ].join(""),
      "by.crt": by?.certificate ?? "",
      "by.key": by?.key ?? "",
    });
    openssl(
      "req",
      "-new",
      "-utf8",
      "-config",
      "config",
      "-key",
      "key",
      "-subj",
      subject,
      "-out",
      "request",
    );
    const signer = by === undefined ? ["-signkey", "key"] : ["-CA", "by.crt", "-CAkey", "by.key"];
    const life = ["-days", `${days}`, "-set_serial", serial];
    const extensions = ["-extfile", "config", "-extensions", "extensions"];
    openssl(
      "x509",
      "-req",
      "-in",
      "request",
      ...signer,
      ...life,
      ...extensions,
      "-out",
      "certificate",
    );
    return { key, certificate: readFileSync(join(directory, "certificate"), "latin1") };
  });
}

/** The list of what an authority has revoked. */
export function revoke(by: Certificate, ...revoked: readonly Certificate[]): string {
  return inScratch((directory, openssl) => {
    const index = revoked.map(({ certificate }) => {
      const { serialNumber } = new X509Certificate(certificate);
      return `R\t490101000000Z\t250101000000Z\t${serialNumber}\tunknown\t/CN=revoked\n`;
    });
    write(directory, {
      index: index.join(""),
      config: "[ca]\ndefault_ca = d\n[d]\ndatabase = index\ndefault_md = sha256\n",
      "by.crt": by.certificate,
      "by.key": by.key,
    });
    const signer = ["-keyfile", "by.key", "-cert", "by.crt"];
    openssl("ca", "-config", "config", "-gencrl", "-crldays", "30", ...signer, "-out", "list");
    return readFileSync(join(directory, "list"), "latin1");
  });
}

/** Prints fields of a certificate with openssl. */
export function opensslSays(certificate: string, ...options: readonly string[]): string {
  return execFileSync("openssl", ["x509", "-noout", ...options], { input: certificate })
    .toString("latin1")
    .replace(/\n$/, "");
}

/** A certificate and those between it and its authority. */
export function chain(
  { certificate, key }: Certificate,
  ...more: readonly Certificate[]
): Certificate {
  return { key, certificate: [certificate, ...more.map((each) => each.certificate)].join("") };
}

/** Certificates and their keys as files: `one.crt` and `one.key` of the one that is called `one`. */
export function pairFiles(
  pairs: Readonly<Record<string, Certificate>>,
): Readonly<Record<string, string>> {
  const files = Object.entries(pairs).flatMap(([name, { certificate, key }]) => [
    [`${name}.crt`, certificate],
    [`${name}.key`, key],
  ]);
  return Object.fromEntries(files);
}

/** DH parameters of a well-known group (RFC 7919), PEM. */
export function dhparam(): string {
  const args = ["genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "dh_rfc5114:2"];
  return execFileSync("openssl", args).toString("latin1");
}

const REQUEST = "[req]\ndistinguished_name = dn\nstring_mask = utf8only\n[dn]\n[extensions]\n";

function randomSerial(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex");
}

function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

function inScratch<Result>(
  work: (directory: string, openssl: (...args: readonly string[]) => void) => Result,
): Result {
  const cwd = mkdtempSync(join(tmpdir(), "postern-"));
  try {
    return work(cwd, (...args) => {
      execFileSync("openssl", args, { cwd, stdio: "pipe" });
    });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}
