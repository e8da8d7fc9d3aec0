// A folder with certificates in the layouts of certbot, Kubernetes and administrators.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { Certificate } from "./certificate.ts";

export class CertificateFiles {
  readonly path: string;
  #generation = 0;

  constructor(t: Pick<TestContext, "after">) {
    this.path = mkdtempSync(join(tmpdir(), "postern-"));
    chmodSync(this.path, 0o755);
    t.after(() => rmSync(this.path, { recursive: true }));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.file(name)), { recursive: true });
    writeFileSync(this.file(name), text, { mode: 0o600 });
  }

  /** As `certbot renew` does it: files with the next number in `archive`, then the links in `live`, one by one. */
  certbot(name: string, { certificate, key }: Certificate, issuer = "", links = LINKS): void {
    const number = ++this.#generation;
    const texts = {
      privkey: key,
      cert: certificate,
      chain: issuer,
      fullchain: certificate + issuer,
    };
    for (const [part, text] of Object.entries(texts)) {
      this.write(`archive/${name}/${part}${number}.pem`, text);
    }
    mkdirSync(this.file(`live/${name}`), { recursive: true });
    for (const part of links) {
      this.#link(`../../archive/${name}/${part}${number}.pem`, `live/${name}/${part}.pem`);
    }
  }

  /** As Kubernetes mounts a secret: links into a folder that is itself a link, which is changed. */
  secret(name: string, { certificate, key }: Certificate): void {
    const number = ++this.#generation;
    this.write(`${name}/..${number}/tls.crt`, certificate);
    this.write(`${name}/..${number}/tls.key`, key);
    this.#link(`..${number}`, `${name}/..data`);
    for (const file of ["tls.crt", "tls.key"]) this.#link(`..data/${file}`, `${name}/${file}`);
  }

  #link(target: string, name: string): void {
    symlinkSync(target, this.file(`${name}.new`));
    renameSync(this.file(`${name}.new`), this.file(name));
  }
}

const LINKS = ["privkey", "cert", "chain", "fullchain"];
