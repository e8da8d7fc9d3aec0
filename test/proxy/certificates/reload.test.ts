import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { rmSync } from "node:fs";
import { type TestContext, describe, test } from "node:test";
import type { LoadedSettings } from "../../../proxy/certificates/index.ts";
import type { ServerCertificate } from "../../../proxy/certificates/files/certificate.ts";
import { atOnce } from "../../../proxy/slices.ts";
import { issue } from "../../support/certificates/authority.ts";
import type { Certificate } from "../../support/certificates/certificate.ts";
import { CertificateFiles } from "../../support/certificates/certificate-folder.ts";
import { poll, read, reread, shown } from "../../support/certificates/certificate-store.ts";

const authority = issue("/CN=authority", { ca: true });
const named = (name: string): Certificate =>
  issue("/CN=mail", { by: authority, names: `DNS:${name}` });
const a = named("a.test");
const newA = named("a.test");
const b = named("b.test");
const own = named("own.test");
const newOwn = named("own.test");

const DIR = "ssl_certificate_dir dir;";
const OWN = "ssl_certificate own.pem; ssl_certificate_key own.pem;";
const BOTH = `${OWN} ssl_certificate_dir live;`;

// Each new content of a file has another size, since the clock of files is coarse.
describe("a reload", () => {
  const by = ({ certificates }: LoadedSettings, name: string): ServerCertificate | undefined =>
    certificates.certificates.find(({ names }) => names.includes(name));

  function site(t: TestContext): CertificateFiles {
    const files = new CertificateFiles(t);
    files.write("own.pem", own.certificate + own.key);
    files.certbot("a.test", a, authority.certificate);
    files.certbot("b.test", b, authority.certificate);
    return files;
  }

  test("takes unchanged certificates over without reading them again", (t) => {
    const files = site(t);
    const first = read(files, BOTH);
    const second = reread(files, `server_name other; ${BOTH}`, first);
    const third = reread(files, BOTH, second);
    for (const again of [second, third]) {
      assert.equal(again.certificates.certificates.length, 3);
      for (const [index, one] of again.certificates.certificates.entries()) {
        assert.equal(one, first.certificates.certificates[index]);
      }
      assert.deepEqual(shown(again, "a.test"), shown(first, "a.test"));
    }
  });

  test("takes renewed certificates over, and polls their files further", (t) => {
    const files = site(t);
    const first = read(files, BOTH);
    files.certbot("a.test", newA, authority.certificate);
    poll(first);
    const second = reread(files, BOTH, first);
    assert.equal(by(second, "a.test"), by(first, "a.test"));
    files.certbot("a.test", a, authority.certificate);
    assert.deepEqual(poll(second).renewed, [0]);
    assert.equal(shown(second, "a.test")[0]?.key, a.key);
    assert.equal(shown(first, "a.test")[0]?.key, newA.key);
  });

  test("reads files that are changed or new, and forgets those that are gone", (t) => {
    const files = site(t);
    const first = read(files, BOTH);
    files.write("own.pem", `${newOwn.certificate}${newOwn.key}\n`);
    files.certbot("a.test", newA, authority.certificate);
    files.certbot("c.test", named("c.test"));
    rmSync(files.file("live/b.test"), { recursive: true });
    const second = reread(files, BOTH, first);
    assert.deepEqual(shown(second), [newOwn]);
    assert.equal(shown(second, "a.test")[0]?.key, newA.key);
    assert.deepEqual(
      second.certificates.certificates.map(({ names }) => names[0]),
      ["own.test", "a.test", "c.test"],
    );
    files.certbot("b.test", b, authority.certificate);
    const third = reread(files, BOTH, second);
    assert.notEqual(by(third, "b.test"), by(first, "b.test"));
    assert.equal(by(third, "a.test"), by(second, "a.test"));
  });

  test("forgets files that no directive names any more", (t) => {
    const files = site(t);
    const first = read(files, BOTH);
    const second = reread(files, OWN, first);
    const { directories } = second.certificates.sources;
    assert.equal(directories.size, 0);
    const third = reread(files, "ssl_certificate_dir live;", second);
    assert.equal(third.certificates.sources.files.size, 0);
    assert.notEqual(by(third, "a.test"), by(first, "a.test"));
  });

  test("is errors for a certificate that has become wrong, with the new place", (t) => {
    const files = site(t);
    const before = read(files, OWN);
    files.write("own.pem", `${own.certificate}${b.key}\n`);
    const wrong = /own\.pem"\) failed \(SSL: .*key values mismatch\) in .*conf:2$/;
    assert.throws(() => reread(files, `\n${OWN}`, before), wrong);
    assert.match(poll(before).errors.join("\n"), /conf:1, the old certificate stays in use$/);
    assert.throws(() => reread(files, `\n${OWN}`, before), wrong);
    files.write("own.pem", `${b.certificate}${b.key}\n\n`);
    assert.deepEqual(shown(reread(files, OWN, before)), [b]);
  });

  test("reports each time the files of a directory that cannot be used, with the new place, and keeps the old ones", (t) => {
    const files = new CertificateFiles(t);
    files.write("dir/a.crt", a.certificate);
    files.write("dir/a.key", a.key);
    files.write("dir/b.pem", b.certificate + b.key);
    files.write("dir/c.crt", named("c.test").certificate.slice(0, -60));
    let settings = read(files, DIR);
    assert.match(settings.warnings.join("\n"), /^cannot load certificate \S+c\.crt": .*conf:1$/);
    files.write("dir/a.crt", `${newA.certificate}\n`);
    const [first, untouched] = [by(settings, "a.test"), by(settings, "b.test")];
    for (const lines of [2, 3]) {
      settings = reread(files, "\n".repeat(lines - 1) + DIR, settings);
      const [one, other, ...none] = settings.warnings.toSorted();
      assert.match(one!, new RegExp(`a\\.key"\\) failed .*conf:${lines}, the old certificate`));
      assert.match(other!, new RegExp(`^cannot load certificate \\S+c\\.crt": .*conf:${lines}$`));
      assert.deepEqual(none, []);
      assert.equal(by(settings, "a.test"), first);
      assert.equal(by(settings, "b.test"), untouched);
      poll(settings);
    }
    for (const file of ["a.crt", "a.key", "c.crt"]) rmSync(files.file(`dir/${file}`));
    settings = reread(files, DIR, settings);
    assert.deepEqual(settings.warnings, []);
    assert.equal(by(settings, "a.test"), undefined);
  });

  test("takes nothing over from a folder without files", (t) => {
    const files = new CertificateFiles(t);
    files.write("dir/a.pem", a.certificate + a.key);
    files.write("dir/in/b.crt", b.certificate);
    files.write("dir/in/b.key", b.key);
    const first = read(files, DIR);
    files.write("dir/in/b.key", `${a.key}\n`);
    const second = reread(files, DIR, first);
    assert.deepEqual(shown(second, "b.test"), [b]);
    for (const file of ["b.crt", "b.key"]) rmSync(files.file(`dir/in/${file}`));
    assert.deepEqual(by(reread(files, DIR, second), "b.test"), undefined);
  });

  test("opens keys with the present pass phrases", (t) => {
    const files = new CertificateFiles(t);
    const key = createPrivateKey(a.key).export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "right",
    });
    for (const name of ["a.pem", "dir/a.pem"]) files.write(name, a.certificate + key);
    files.write("words", "right\n");
    const single = "ssl_password_file words; ssl_certificate a.pem; ssl_certificate_key a.pem;";
    const directory = `ssl_password_file words; ${DIR}`;
    const before = [single, directory].map((directives) => read(files, directives));
    for (const settings of before) assert.deepEqual(shown(settings), [a]);
    files.write("words", "wrong\n");
    assert.throws(() => reread(files, single, before[0]!), /a\.pem": PEM_read_bio_PrivateKey\(\)/);
    assert.throws(() => reread(files, directory, before[1]!), /no certificate in/);
  });

  test("has the same result as a start, in whatever order files have come", (t) => {
    const files = new CertificateFiles(t);
    files.write("dir/b.crt", a.certificate);
    files.write("dir/b.key", a.key);
    const before = read(files, DIR);
    files.write("dir/a.crt", a.certificate + authority.certificate);
    poll(before);
    const fresh = read(files, DIR);
    assert.equal(shown(fresh)[0]?.certificate, a.certificate + authority.certificate);
    assert.deepEqual(shown(before), shown(fresh));
    assert.deepEqual(shown(reread(files, DIR, before)), shown(fresh));
  });

  test("takes a complete chain in place of a broken one with the same certificate", (t) => {
    const files = new CertificateFiles(t);
    files.write("dir/b.crt", a.certificate);
    files.write("dir/b.key", a.key);
    const before = read(files, DIR);
    files.write("dir/a.crt", a.certificate + authority.certificate.slice(0, 300));
    const { errors } = poll(before);
    assert.match(errors.join("\n"), /a\.crt": PEM_read_bio_X509\(\) failed/);
    for (const settings of [before, reread(files, DIR, before), read(files, DIR)]) {
      assert.deepEqual(shown(settings), [a]);
    }
  });

  test("reads files that a poll has begun to read and not finished", (t) => {
    for (let steps = 0, ended = false; !ended; steps++) {
      const files = new CertificateFiles(t);
      files.write("dir/a.pem", a.certificate + a.key);
      const before = read(files, DIR);
      files.write("dir/a.pem", `${newA.certificate}${newA.key}\n`);
      // A change is read at the second poll.
      atOnce(before.certificates.poll());
      const polling = before.certificates.poll();
      for (let step = 0; step < steps; step++) ended = polling.next().done === true;
      assert.deepEqual(shown(reread(files, DIR, before)), [newA], `after ${steps} steps`);
      // The poll may be abandoned, and other polls must have the same result.
      if (!ended) poll(before);
      const [directory] = before.certificates.sources.directories.values();
      assert.equal(directory?.certificates[0]?.key, newA.key, `after ${steps} steps`);
    }
  });
});
