// Stock nginx and Postern get the same client certificates: both must give the same answers and send the same lookups.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { chain, issue, revoke } from "../support/certificates/authority.ts";
import type { Certificate } from "../support/certificates/certificate.ts";
import {
  type LookupEndpoint,
  reply,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import { untilClosed } from "../support/peers/mail-client.ts";
import { type MailProxy, startNginx, startPostern } from "../support/real-servers/index.ts";
import { freePorts } from "../support/programs/ports.ts";
import { lacking } from "../support/programs/requirements.ts";
import { makeScratch } from "../support/programs/scratch.ts";
import { Wire } from "../support/peers/wire.ts";

const skip = lacking("nginx");

const root = issue("/C=DE/O=Wurzel, Stamm \\+ Ast/CN=root", { ca: true });
const intermediate = issue("/CN=between", { ca: true, by: root });
const below = issue("/CN=below", { ca: true, by: intermediate });
const unknown = issue("/CN=unknown", { ca: true });
const anna = issue("/CN=anna", { by: root });
const revoked = issue("/CN=revoked", { by: root });

const CERTIFICATES: Readonly<Record<string, Certificate | null>> = {
  none: null,
  "of the authority": anna,
  "with an RSA key": issue("/CN=rsa", { by: root, rsa: true }),
  "that is self-signed": issue("/CN=self"),
  "the authority itself": root,
  "of an unknown authority": issue("/CN=x", { by: unknown }),
  "of an unknown authority, with the chain": chain(issue("/CN=x", { by: unknown }), unknown),
  "of another authority with the same name": issue("/CN=x", {
    by: issue("/C=DE/O=Wurzel, Stamm \\+ Ast/CN=root", { ca: true }),
  }),
  "of another intermediate with the same name": chain(
    issue("/CN=x", { by: intermediate }),
    issue("/CN=between", { ca: true, by: root }),
  ),
  expired: issue("/CN=old", { by: root, days: -1 }),
  "that is expired and self-signed": issue("/CN=old", { days: -1 }),
  revoked,
  "with one intermediate": chain(issue("/CN=x", { by: intermediate }), intermediate),
  "with one intermediate that is not sent": issue("/CN=x", { by: intermediate }),
  "with two intermediates": chain(issue("/CN=x", { by: below }), below, intermediate),
  "with two intermediates, one of them expired": chain(
    issue("/CN=x", { by: below }),
    below,
    issue("/CN=between", { ca: true, by: root, days: -1 }),
  ),
  "with two intermediates and the authority": chain(
    issue("/CN=x", { by: below }),
    below,
    intermediate,
    root,
  ),
  "of an issuer that is no authority": chain(issue("/CN=x", { by: anna }), anna),
  "with a name of several values": issue("/C=DE/O=Acme+OU=Post+L=Ulm/CN=anna+UID=7", { by: root }),
  "with a name beyond ASCII": issue("/O=Größe €😀/CN=Jürgen", { by: root }),
  "with a name of punctuation": issue(String.raw`/O=#, \+ "x" <y>;z\\/CN= anna /OU=a=b`, {
    by: root,
  }),
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
  "optional, with one intermediate": "ssl_verify_client optional; ssl_client_certificate both.crt;",
  "no_ca, with one intermediate":
    "ssl_verify_client optional_no_ca; ssl_client_certificate both.crt;",
  "no_ca, with one intermediate, flat":
    "ssl_verify_client optional_no_ca; ssl_client_certificate both.crt; ssl_verify_depth 0;",
  "no_ca, flat": "ssl_verify_client optional_no_ca; ssl_verify_depth 0;",
  optional_no_ca: "ssl_verify_client optional_no_ca; ssl_trusted_certificate root.crt;",
  "optional_no_ca, trusting no authority": "ssl_verify_client optional_no_ca;",
  "with a list": "ssl_verify_client on; ssl_client_certificate root.crt; ssl_crl list.crl;",
  passing:
    "ssl_verify_client optional_no_ca; ssl_client_certificate root.crt; auth_http_pass_client_cert on;",
  off: "ssl_client_certificate root.crt;",
};

/** Stock nginx or Postern with all of SERVERS. */
class ComparedProxy implements AsyncDisposable {
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
  ): Promise<ComparedProxy> {
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
    return new ComparedProxy(proxy, ports);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#proxy.stop();
  }

  /** All lines that a client receives that logs in by this name. */
  async linesOf(
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

  /** @returns the reasons in its log for which it closed sessions, sorted */
  get reasons(): readonly string[] {
    const pattern =
      /client (?:SSL certificate verify error: \(.*?\)|sent no required SSL certificate)/g;
    const reasons = this.#proxy.program.stderr.match(pattern) ?? [];
    // For a chain that is too long, OpenSSL in nginx checks the CRLs of a part, and in Node those of the whole.
    return reasons.map((reason) => reason.replace(/\((?:3|8):.*CRL.*\)/, "(a list)")).toSorted();
  }
}

describe("Postern verifies client certificates as nginx does", { skip, concurrency: 4 }, () => {
  const started = new AsyncDisposableStack();
  let endpoint: LookupEndpoint;
  let nginx: ComparedProxy;
  let postern: ComparedProxy;
  before(async () => {
    const files = await makeScratch();
    started.defer(files.remove);
    const contents = {
      "root.crt": root.certificate,
      "both.crt": `${root.certificate}${intermediate.certificate}`,
      "list.crl": revoke(root, revoked),
    };
    for (const [name, text] of Object.entries(contents)) {
      await writeFile(join(files.path, name), text);
    }
    endpoint = await startLookupEndpoint(() => reply(200, { "Auth-Status": "no" }));
    started.defer(() => endpoint.close());
    nginx = started.use(await ComparedProxy.start(startNginx, endpoint.address, files.path));
    postern = started.use(await ComparedProxy.start(startPostern, endpoint.address, files.path));
  });
  after(async () => {
    await started.disposeAsync();
    assert.ok(nginx.reasons.length > 0);
    assert.deepEqual(postern.reasons, nginx.reasons);
  });

  /** The headers about TLS of the lookup for this name, if there was one. */
  function tlsHeaders(login: string): readonly string[] {
    const lookup = endpoint.lookups.find((each) => each.header("Auth-User") === login);
    return lookup?.lines.filter((line) => line.startsWith("Auth-SSL")) ?? ["no lookup"];
  }

  for (const server of Object.keys(SERVERS)) {
    for (const [name, shown] of Object.entries(CERTIFICATES)) {
      test(`${server}: a certificate ${name}`, async () => {
        const [theirs, ours] = [crypto.randomUUID(), crypto.randomUUID()];
        const [heard, expected] = await Promise.all([
          postern.linesOf(server, shown, ours),
          nginx.linesOf(server, shown, theirs),
        ]);
        assert.ok(expected.length > 0);
        assert.deepEqual(heard, expected);
        assert.deepEqual(tlsHeaders(ours), tlsHeaders(theirs));
      });
    }
  }
});
