import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { chmodSync, rmSync, symlinkSync } from "node:fs";
import { type TestContext, describe, test } from "node:test";
import { generate } from "selfsigned";
import type { LoadedSettings, Renewal } from "../../../proxy/certificates/index.ts";
import { atOnce } from "../../../proxy/slices.ts";
import { issue } from "../../support/certificates/authority.ts";
import type { Certificate } from "../../support/certificates/certificate.ts";
import { CertificateFiles } from "../../support/certificates/certificate-folder.ts";
import { poll, read, shown } from "../../support/certificates/certificate-store.ts";

const authority = issue("/CN=authority", { ca: true });
const named = (names: string, rsa = false): Certificate =>
  issue("/CN=mail", { by: authority, rsa, names: names.replaceAll(/[^, ]+/g, "DNS:$&") });
const a = named("a.test");
const newA = named("a.test");
const b = named("b.test");
const rsaOfB = named("b.test", true);
const all = named("*.b.test, b.test");

const DIR = "ssl_certificate_dir dir;";

describe("ssl_certificate_dir", () => {
  const LAYOUTS: Readonly<Record<string, Readonly<Record<string, Certificate | string>>>> = {
    "files of one name": { "dir/a.crt": a.certificate, "dir/a.key": a.key },
    "a file with both": { "dir/a.pem": `${a.key}${a.certificate}` },
    "a Kubernetes secret": { "dir/tls.crt": a.certificate, "dir/tls.key": a.key },
    "one with its authority": {
      "dir/tls.crt": a.certificate,
      "dir/tls.key": a.key,
      "dir/ca.crt": authority.certificate,
    },
    "a file with words between": { "dir/a.pem": `Key\n${a.key}\nCertificate\n${a.certificate}` },
    "files of any name": { "dir/x.cer": a.certificate, "dir/y.key": a.key, "dir/z.key": b.key },
    "folders in it": { "dir/any/cert.pem": a.certificate, "dir/any/key.pem": a.key },
  };
  for (const [layout, texts] of Object.entries(LAYOUTS)) {
    test(`takes ${layout}`, (t) => {
      const files = new CertificateFiles(t);
      for (const [name, text] of Object.entries(texts)) files.write(name, text as string);
      const settings = read(files, DIR);
      assert.deepEqual(shown(settings), [a]);
      assert.deepEqual(settings.certificates.material.servers[0]?.renewable.default, [a]);
      assert.deepEqual(settings.warnings, []);
    });
  }

  test("takes certbot's live folder, with the whole chain", (t) => {
    const files = new CertificateFiles(t);
    files.certbot("a.test", a, authority.certificate);
    files.certbot("b.test", b, authority.certificate);
    files.write("live/README", "Do not touch.");
    const settings = read(files, "ssl_certificate_dir live;");
    const whole = ({ certificate, key }: Certificate): Certificate => ({
      certificate: certificate + authority.certificate,
      key,
    });
    assert.deepEqual(shown(settings, "a.test"), [whole(a)]);
    assert.deepEqual(shown(settings, "b.test"), [whole(b)]);
    assert.deepEqual(settings.warnings, []);
  });

  test("has as its default what is for server_name, else the first by path", (t) => {
    const files = new CertificateFiles(t);
    files.write("dir/1.pem", b.certificate + b.key);
    files.write("dir/2.pem", a.certificate + a.key);
    files.write("dir/3.pem", rsaOfB.certificate + rsaOfB.key);
    assert.deepEqual(shown(read(files, `${DIR} server_name other.test;`)), [b, rsaOfB]);
    assert.deepEqual(shown(read(files, `${DIR} server_name A.test;`)), [a]);
  });

  test("stands behind ssl_certificate", (t) => {
    const files = new CertificateFiles(t);
    files.write("dir/a.pem", a.certificate + a.key);
    files.write("dir/b.pem", b.certificate + b.key);
    files.write("own.pem", newA.certificate + newA.key);
    const own = "ssl_certificate own.pem; ssl_certificate_key own.pem;";
    const settings = read(files, `${DIR} ${own} server_name b.test;`);
    assert.deepEqual([shown(settings), shown(settings, "a.test")], [[newA], [newA]]);
    assert.deepEqual(shown(settings, "b.test"), [b]);
  });

  test("reports files that cannot be used, and takes the others", (t) => {
    const files = new CertificateFiles(t);
    files.write("dir/a.pem", a.certificate + a.key);
    files.write("dir/b.crt", b.certificate);
    files.write("dir/b.key", newA.key);
    files.write("dir/c.crt", b.certificate.slice(0, -60));
    const { warnings } = read(files, DIR);
    const path = files.file("dir");
    assert.equal(warnings.length, 2);
    assert.match(
      warnings.join("\n"),
      new RegExp(`certificate "${path}/c.crt": PEM_read_bio_X509_AUX\\(\\) failed`),
    );
    assert.match(
      warnings.join("\n"),
      new RegExp(
        `SSL_CTX_use_PrivateKey\\("${path}/b.key"\\) failed .*key values mismatch.* "${path}/b.crt" in .*conf:1$`,
      ),
    );
  });

  test("is refused if it does not exist, or holds no certificate", (t) => {
    const files = new CertificateFiles(t);
    assert.throws(() => read(files, DIR), {
      message: `opendir() "${files.file("dir")}" failed (2: No such file or directory) in ${files.file("conf")}:1`,
    });
    files.write("dir/README", "none yet");
    assert.throws(() => read(files, DIR), /no certificate in "ssl_certificate_dir" in .*conf:1$/);
  });
});

describe("names in certificates", () => {
  const NAMES: Readonly<Record<string, readonly [subject: string, names: string, ...string[]]>> = {
    "names of subjectAltName count": ["/CN=cn.test", "DNS:x.test,DNS:Y.TEST", "x.test", "y.test"],
    "the common name counts without other names": ["/CN=Cn.test", "", "cn.test"],
    "a common name in another script is found by its A-label": [
      "/CN=münchen.test",
      "",
      "xn--mnchen-3ya.test",
    ],
    "wildcards are kept": ["/CN=x", "DNS:*.x.test", "*.x.test"],
    "addresses are not names": ["/CN=x.test", "IP:127.0.0.1"],
    "text that no host can have is not a name": ["/CN=x y", ""],
  };
  for (const [what, [subject, names, ...expected]] of Object.entries(NAMES)) {
    test(what, (t) => {
      const files = new CertificateFiles(t);
      const made = issue(subject, names === "" ? {} : { names });
      files.write("one.pem", made.certificate + made.key);
      const { certificates } = read(files, "ssl_certificate one.pem; ssl_certificate_key one.pem;");
      assert.deepEqual(
        certificates.certificates.flatMap((one) => one.names),
        expected,
      );
    });
  }

  test("a URL that looks like a host name is not one", async (t) => {
    const files = new CertificateFiles(t);
    const altNames = [
      { type: 6, value: "http://x, DNS:evil.test" },
      { type: 2, value: "x.test" },
    ] as const;
    const made = await generate([{ name: "commonName", value: "cn.test" }], {
      keyType: "ec",
      extensions: [{ name: "subjectAltName", altNames: [...altNames] }],
    });
    files.write("one.pem", `${made.cert}\n${made.private}`);
    const { certificates } = read(files, "ssl_certificate one.pem; ssl_certificate_key one.pem;");
    assert.deepEqual(certificates.certificates[0]?.names, ["x.test"]);
  });

  test("a host's own name comes before a wildcard, which stands for one label", (t) => {
    const files = new CertificateFiles(t);
    const one = named("one.b.test");
    for (const [name, pair] of Object.entries({ a, all, one })) {
      files.write(`dir/${name}.pem`, pair.certificate + pair.key);
    }
    const { names } = read(files, DIR).certificates.get(0)!.renewable;
    assert.deepEqual([...names.keys()].toSorted(), ["*.b.test", "a.test", "b.test", "one.b.test"]);
    assert.equal(names.get("a.test"), "");
    assert.notEqual(names.get("*.b.test"), names.get("one.b.test"));
  });
});

test("each certificate finds its key among files of any names without trying them all", (t) => {
  const files = new CertificateFiles(t);
  const several = [a, b, all, rsaOfB, named("c.test")];
  for (const [index, { certificate, key }] of several.entries()) {
    files.write(`dir/${index}.pem`, certificate);
    files.write(`dir/${index}-key.pem`, key);
  }
  const { mock } = t.mock.method(X509Certificate.prototype, "checkPrivateKey");
  const { certificates } = read(files, DIR);
  assert.equal(certificates.certificates.length, several.length);
  assert.ok(mock.callCount() <= several.length);
});

describe("files that change", () => {
  function live(t: TestContext): {
    readonly files: CertificateFiles;
    readonly settings: LoadedSettings;
  } {
    const files = new CertificateFiles(t);
    files.certbot("a.test", a, authority.certificate);
    return { files, settings: read(files, "ssl_certificate_dir live;") };
  }

  function own(t: TestContext): {
    readonly files: CertificateFiles;
    readonly settings: LoadedSettings;
  } {
    const files = new CertificateFiles(t);
    files.write("a.crt", a.certificate);
    files.write("a.key", a.key);
    return { files, settings: read(files, "ssl_certificate a.crt; ssl_certificate_key a.key;") };
  }

  const leaf = (settings: LoadedSettings, host?: string): string | undefined =>
    /^.*?END CERTIFICATE-----\n/s.exec(shown(settings, host)[0]?.certificate ?? "")?.[0];

  test("are not reported without a change", (t) => {
    const { settings } = live(t);
    assert.deepEqual(poll(settings), { changed: false, unsettled: false, errors: [], renewed: [] });
  });

  test("of certbot are followed through its links", (t) => {
    const { files, settings } = live(t);
    files.certbot("a.test", newA, authority.certificate);
    assert.deepEqual(poll(settings).renewed, [0]);
    assert.equal(leaf(settings), newA.certificate);
    assert.deepEqual(settings.certificates.certificates.length, 1);
  });

  test("of Kubernetes are followed through its links", (t) => {
    const files = new CertificateFiles(t);
    files.secret("secret", a);
    const directory = read(files, "ssl_certificate_dir secret;");
    const single = "ssl_certificate secret/tls.crt; ssl_certificate_key secret/tls.key;";
    const pair = read(files, single);
    files.secret("secret", newA);
    for (const settings of [directory, pair]) {
      assert.deepEqual(poll(settings).renewed, [0]);
      assert.deepEqual(shown(settings), [newA]);
    }
  });

  test("are read once their writer is done", (t) => {
    const { files, settings } = own(t);
    files.write("a.crt", newA.certificate);
    const { done, value } = settings.certificates.poll().next();
    assert.deepEqual(
      [done, value],
      [true, { changed: false, unsettled: true, errors: [], renewed: [] }],
    );
    files.write("a.key", newA.key);
    assert.deepEqual(poll(settings).errors, []);
    assert.deepEqual(shown(settings), [newA]);
  });

  const BROKEN: Readonly<Record<string, readonly [file: string, text: string, expected: RegExp]>> =
    {
      "a certificate that is cut off": [
        "a.crt",
        newA.certificate.slice(0, 300),
        /^cannot load certificate ".*\/a\.crt": PEM/,
      ],
      "a chain that is cut off": [
        "a.crt",
        a.certificate + b.certificate.slice(0, 300),
        /a\.crt": PEM_read_bio_X509\(\) failed/,
      ],
      "an empty certificate": ["a.crt", "", /^cannot load certificate ".*\/a\.crt": PEM/],
      "an empty key": ["a.key", "", /^cannot load certificate key ".*\/a\.key": PEM/],
      "a key that is cut off": [
        "a.key",
        newA.key.slice(0, 60),
        /^cannot load certificate key ".*\/a\.key": PEM/,
      ],
      "the key of another": [
        "a.key",
        newA.key,
        /^SSL_CTX_use_PrivateKey\(".*\/a\.key"\) failed .*key values mismatch/,
      ],
      "a new certificate with the old key": [
        "a.crt",
        newA.certificate,
        /^SSL_CTX_use_PrivateKey\(".*\/a\.key"\) failed/,
      ],
    };
  for (const [what, [file, text, expected]] of Object.entries(BROKEN)) {
    test(`and hold ${what} are reported once, and tried again after the next change`, (t) => {
      const { files, settings } = own(t);
      files.write(file, text);
      const { errors, renewed } = poll(settings);
      assert.deepEqual([errors.length, renewed], [1, []]);
      assert.match(errors[0]!, expected);
      assert.match(errors[0]!, /, the old certificate stays in use$/);
      assert.deepEqual(poll(settings).errors, []);
      assert.deepEqual(shown(settings), [a]);
      files.write("a.crt", newA.certificate);
      files.write("a.key", newA.key);
      assert.deepEqual(poll(settings).renewed, [0]);
      assert.deepEqual(shown(settings), [newA]);
    });

    test(`and hold ${what} are reported in a folder, too`, (t) => {
      const files = new CertificateFiles(t);
      files.write("dir/a.crt", a.certificate);
      files.write("dir/a.key", a.key);
      files.write("dir/b.pem", b.certificate + b.key);
      const settings = read(files, DIR);
      files.write(`dir/${file}`, text);
      const { errors } = poll(settings);
      assert.match(errors.join("\n"), /\/dir\/a\.(?:crt|key)"/);
      assert.deepEqual(poll(settings).errors, []);
      assert.deepEqual(shown(settings, "a.test"), [a]);
      files.write("dir/a.crt", newA.certificate);
      files.write("dir/a.key", newA.key);
      assert.deepEqual(poll(settings).errors, []);
      assert.deepEqual(shown(settings, "a.test"), [newA]);
      assert.deepEqual(shown(settings, "b.test"), [b]);
    });
  }

  test("of a certbot that stops halfway leave the old certificate with its chain", (t) => {
    const half = ["privkey", "cert", "chain", "fullchain"];
    for (const links of half.map((_, index) => half.slice(0, index + 1))) {
      const { files, settings } = live(t);
      files.certbot("a.test", newA, authority.certificate, links);
      poll(settings);
      const whole = links.length === half.length;
      const { certificate } = whole ? newA : a;
      assert.equal(
        shown(settings)[0]?.certificate,
        certificate + authority.certificate,
        links.join(),
      );
    }
  });

  test("may come and go in a directory", (t) => {
    const { files, settings } = live(t);
    files.certbot("b.test", b, authority.certificate);
    assert.deepEqual(poll(settings).renewed, [0]);
    assert.equal(leaf(settings, "b.test"), b.certificate);
    rmSync(files.file("live/a.test"), { recursive: true });
    assert.deepEqual(poll(settings).renewed, [0]);
    assert.equal(leaf(settings), b.certificate);
    assert.equal(settings.certificates.certificates.length, 1);
  });

  test("stay in service when the whole directory goes, which is reported once", (t) => {
    const { files, settings } = live(t);
    rmSync(files.file("live"), { recursive: true });
    const polling = settings.certificates.poll().next();
    assert.match(
      (polling.value as Renewal).errors.join("\n"),
      /^opendir\(\) ".*\/live" failed \(2: /,
    );
    assert.deepEqual(poll(settings).errors, []);
    assert.equal(leaf(settings), a.certificate);
    files.certbot("a.test", newA, authority.certificate);
    poll(settings);
    assert.equal(leaf(settings), newA.certificate);
  });

  test("that cannot be read are reported once, and the old ones stay", (t) => {
    const files = new CertificateFiles(t);
    files.write("dir/a.pem", a.certificate + a.key);
    files.write("dir/b.pem", b.certificate + b.key);
    const settings = read(files, DIR);
    const path = files.file("dir/b.pem");
    rmSync(path);
    symlinkSync(path, path);
    const { errors } = poll(settings);
    assert.equal(errors.length, 1);
    assert.match(
      errors[0] ?? "",
      /^open\(\) ".*\/dir\/b\.pem" failed .* old certificate stays in use$/,
    );
    assert.deepEqual(shown(settings, "b.test"), [b]);
    assert.deepEqual(poll(settings).errors, []);
    rmSync(path);
    assert.deepEqual(poll(settings).renewed, [0]);
    assert.deepEqual(shown(settings, "b.test"), [a]);
  });

  // Root can read every file, so the test takes another user's identity.
  const otherUser = process.getuid?.() === 0 ? 65_534 : null;
  test(
    "in a folder that cannot be read stay, which is reported once",
    { skip: otherUser === null },
    (t) => {
      const { files, settings } = live(t);
      chmodSync(files.file("live/a.test"), 0o700);
      process.seteuid?.(otherUser!);
      try {
        const { errors } = atOnce(settings.certificates.poll());
        assert.match(errors.join("\n"), /^opendir\(\) ".*\/live\/a\.test" failed \(13: .*conf:1$/);
        assert.deepEqual(poll(settings).errors, []);
        assert.equal(leaf(settings), a.certificate);
      } finally {
        process.seteuid?.(0);
      }
    },
  );

  test("may hold ticket keys", (t) => {
    const files = new CertificateFiles(t);
    files.write("a.pem", a.certificate + a.key);
    files.write("ticket", "1".repeat(48));
    const pair = "ssl_certificate a.pem; ssl_certificate_key a.pem;";
    const settings = read(files, `${pair} ssl_session_ticket_key ticket;`);
    const key = (): string =>
      String(settings.certificates.get(0)?.renewable.ticketKeys.map((bytes) => Buffer.from(bytes)));
    files.write("ticket", "2".repeat(47));
    assert.match(
      poll(settings).errors.join("\n"),
      /ticket" must be 48 or 80 bytes .*, the old ticket keys stay in use$/,
    );
    assert.equal(key(), "1".repeat(48));
    files.write("ticket", "2".repeat(48));
    assert.deepEqual(poll(settings).renewed, [0]);
    assert.equal(key(), "2".repeat(48));
  });
});
