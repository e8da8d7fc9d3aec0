// The same certificates shown to stock nginx and to Postern: the same answers, and the same told in lookups.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { chain, issue, revoke } from "../support/authority.ts";
import type { Certificate } from "../support/certificate.ts";
import { type LookupEndpoint, reply, startLookupEndpoint } from "../support/lookup-endpoint.ts";
import { untilClosed } from "../support/mail-client.ts";
import { type MailProxy, startNginx, startPostern } from "../support/real-servers/index.ts";
import { freePorts } from "../support/ports.ts";
import { lacking } from "../support/requirements.ts";
import { type Scratch, makeScratch } from "../support/scratch.ts";
import { Wire } from "../support/wire.ts";

const skip = lacking("nginx");

const root = issue("/C=DE/O=Wurzel, Stamm \\+ Ast/CN=root", { ca: true });
const between = issue("/CN=between", { ca: true, by: root });
const below = issue("/CN=below", { ca: true, by: between });
const stranger = issue("/CN=stranger", { ca: true });
const anna = issue("/CN=anna", { by: root });
const revoked = issue("/CN=revoked", { by: root });

const CERTIFICATES: Readonly<Record<string, Certificate | null>> = {
  none: null,
  "of the authority": anna,
  "with an RSA key": issue("/CN=rsa", { by: root, rsa: true }),
  "of its own making": issue("/CN=self"),
  "the authority itself": root,
  "of a stranger": issue("/CN=x", { by: stranger }),
  "of a stranger, with the chain": chain(issue("/CN=x", { by: stranger }), stranger),
  "of one who bears the authority's name": issue("/CN=x", {
    by: issue("/C=DE/O=Wurzel, Stamm \\+ Ast/CN=root", { ca: true }),
  }),
  "of one who bears the name of one between": chain(
    issue("/CN=x", { by: between }),
    issue("/CN=between", { ca: true, by: root }),
  ),
  expired: issue("/CN=old", { by: root, days: -1 }),
  "expired, of its own making": issue("/CN=old", { days: -1 }),
  revoked,
  "with one between": chain(issue("/CN=x", { by: between }), between),
  "with one between that is not sent": issue("/CN=x", { by: between }),
  "with two between": chain(issue("/CN=x", { by: below }), below, between),
  "with two between, one of them expired": chain(
    issue("/CN=x", { by: below }),
    below,
    issue("/CN=between", { ca: true, by: root, days: -1 }),
  ),
  "with two between, and the authority": chain(issue("/CN=x", { by: below }), below, between, root),
  "of one who may not issue any": chain(issue("/CN=x", { by: anna }), anna),
  "with a name of several values": issue("/C=DE/O=Acme+OU=Post+L=Ulm/CN=anna+UID=7", { by: root }),
  "with a name beyond ASCII": issue("/O=Größe €😀/CN=Jürgen", { by: root }),
  "with a name of signs": issue(String.raw`/O=#, \+ "x" <y>;z\\/CN= anna /OU=a=b`, { by: root }),
  "with a name of several lines": issue("/CN=anna\r\nAuth-Status: OK\r\n", { by: root }),
  "without a name": issue("/", { by: root }),
  "with the serial number 0": issue("/CN=x", { by: root, serial: "0" }),
  "with a short serial number": issue("/CN=x", { by: root, serial: "0xabc" }),
  "with a negative serial number": issue("/CN=x", { by: root, serial: "-200" }),
};

const SERVERS: Readonly<Record<string, string>> = {
  on: "ssl_verify_client on; ssl_client_certificate root.crt;",
  "on, deeper": "ssl_verify_client on; ssl_client_certificate root.crt; ssl_verify_depth 2;",
  "on, flat": "ssl_verify_client on; ssl_client_certificate root.crt; ssl_verify_depth 0;",
  optional: "ssl_verify_client optional; ssl_client_certificate root.crt;",
  "optional, with one between": "ssl_verify_client optional; ssl_client_certificate both.crt;",
  "no_ca, with one between": "ssl_verify_client optional_no_ca; ssl_client_certificate both.crt;",
  "no_ca, with one between, flat":
    "ssl_verify_client optional_no_ca; ssl_client_certificate both.crt; ssl_verify_depth 0;",
  "no_ca, flat": "ssl_verify_client optional_no_ca; ssl_verify_depth 0;",
  optional_no_ca: "ssl_verify_client optional_no_ca; ssl_trusted_certificate root.crt;",
  "optional_no_ca, trusting nobody": "ssl_verify_client optional_no_ca;",
  "with a list": "ssl_verify_client on; ssl_client_certificate root.crt; ssl_crl list.crl;",
  passing:
    "ssl_verify_client optional_no_ca; ssl_client_certificate root.crt; auth_http_pass_client_cert on;",
  off: "ssl_client_certificate root.crt;",
};

/** A proxy, and the ports of its servers. */
class Rival {
  readonly #proxy: MailProxy;
  readonly #ports: ReadonlyMap<string, number>;

  private constructor(proxy: MailProxy, ports: ReadonlyMap<string, number>) {
    this.#proxy = proxy;
    this.#ports = ports;
  }

  static async start(
    startProxy: typeof startNginx,
    authHttp: string,
    files: string,
  ): Promise<Rival> {
    const names = Object.keys(SERVERS);
    const free = await freePorts(names.length);
    const ports = new Map(names.map((name, index) => [name, free[index]!]));
    const servers = names.map((name) => {
      const directives = SERVERS[name]?.replaceAll(/(\w+\.(?:crt|crl));/g, `${files}/$1;`);
      return `server { listen 127.0.0.1:${ports.get(name)} ssl; protocol imap; ${directives} }`;
    });
    const proxy = await startProxy(`
error_log stderr info;
events {}
mail {
  auth_http ${authHttp};
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
  ${servers.join("\n  ")}
}
`);
    return new Rival(proxy, ports);
  }

  /** All that a client hears that tries to log in as somebody of that name. */
  async hears(
    server: string,
    shown: Certificate | null,
    login: string,
  ): Promise<readonly string[]> {
    const socket = connectTls({
      port: this.#ports.get(server)!,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      maxVersion: "TLSv1.2",
      ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256",
      ...(shown === null ? {} : { cert: shown.certificate, key: shown.key }),
    });
    const wire = new Wire(socket);
    wire.write(`a LOGIN ${login} secret\r\n`);
    return untilClosed(wire);
  }

  /** @returns why it sent clients away, as its log tells, in no order */
  async stop(): Promise<readonly string[]> {
    await this.#proxy.stop();
    const reasons =
      /client (?:SSL certificate verify error: \(.*?\)|sent no required SSL certificate)/g;
    const told = this.#proxy.program.stderr.match(reasons) ?? [];
    // Of a chain that is too long nginx's OpenSSL has the lists of a part only, ours of the whole.
    return told.map((reason) => reason.replace(/\((?:3|8):.*CRL.*\)/, "(a list)")).toSorted();
  }
}

describe("Postern judges clients' certificates as nginx does", { skip, concurrency: 4 }, () => {
  let files: Scratch;
  let endpoint: LookupEndpoint;
  let nginx: Rival;
  let postern: Rival;
  before(async () => {
    files = await makeScratch();
    const contents = {
      "root.crt": root.certificate,
      "both.crt": `${root.certificate}${between.certificate}`,
      "list.crl": revoke(root, revoked),
    };
    for (const [name, text] of Object.entries(contents)) {
      await writeFile(join(files.path, name), text);
    }
    endpoint = await startLookupEndpoint(() => reply(200, { "Auth-Status": "no" }));
    [nginx, postern] = (await Promise.all(
      [startNginx, startPostern].map((start) => Rival.start(start, endpoint.address, files.path)),
    )) as [Rival, Rival];
  });
  after(async () => {
    const [theirs, ours] = await Promise.all([nginx.stop(), postern.stop()]);
    await endpoint.close();
    await files.remove();
    assert.ok(theirs.length > 0);
    assert.deepEqual(ours, theirs);
  });

  /** What the lookup for somebody of that name told of TLS, if there was one. */
  function told(login: string): readonly string[] {
    const lookup = endpoint.lookups.find((each) => each.header("Auth-User") === login);
    return lookup?.lines.filter((line) => line.startsWith("Auth-SSL")) ?? ["no lookup"];
  }

  for (const server of Object.keys(SERVERS)) {
    for (const [name, shown] of Object.entries(CERTIFICATES)) {
      test(`${server}: a certificate ${name}`, async () => {
        const [theirs, ours] = [crypto.randomUUID(), crypto.randomUUID()];
        const [heard, expected] = await Promise.all([
          postern.hears(server, shown, ours),
          nginx.hears(server, shown, theirs),
        ]);
        assert.ok(expected.length > 0);
        assert.deepEqual(heard, expected);
        assert.deepEqual(told(ours), told(theirs));
      });
    }
  }
});
