// Environment variables configure a container, and each error names its variable.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { ConfigError, ENVIRONMENT, readConfiguration } from "../../../../proxy/config/index.ts";
import { loadCertificates } from "../../../../proxy/certificates/load.ts";
import { atOnce } from "../../../../proxy/slices.ts";
import { writeCertificate } from "../../../support/certificates/certificate.ts";
import { inputs } from "../../../support/property.ts";

let directory: string;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), "postern-"));
  await writeCertificate(directory);
});
after(() => rmSync(directory, { recursive: true }));

const AUTH_HTTP = { POSTERN_AUTH_HTTP: "https://lookup.test/auth" };
const BEHIND = { ...AUTH_HTTP, POSTERN_TRUSTED_NETWORKS: "10.0.0.0/8" };

const certified = () => ({
  ...AUTH_HTTP,
  POSTERN_CERTIFICATE: join(directory, "certificate.pem"),
  POSTERN_CERTIFICATE_KEY: join(directory, "key.pem"),
});

function read(environment: NodeJS.ProcessEnv) {
  const source = { file: ENVIRONMENT, prefix: ".", globals: "", errorLog: null };
  return readConfiguration({ ...source, environment });
}

function settings(environment: NodeJS.ProcessEnv) {
  return read(environment).settings;
}

/** The first error and its advice. */
function mistake(environment: NodeJS.ProcessEnv): string {
  try {
    atOnce(loadCertificates(read(environment), null));
  } catch (error) {
    if (error instanceof ConfigError) return [error.message, error.advice ?? []].flat().join("; ");
    throw error;
  }
  throw new Error("the environment holds no mistake");
}

describe("the environment as a configuration", () => {
  test("an endpoint and a certificate are enough for every protocol, with passwords under TLS only", () => {
    const { servers } = settings(certified());
    assert.deepEqual(
      servers.map(({ protocol, listen, starttls, auth_http }) => ({
        protocol,
        ports: listen.map(({ port, ssl }) => [port, ssl]),
        starttls,
        endpoint: auth_http.host,
      })),
      [
        {
          protocol: "imap",
          ports: [
            [1143, false],
            [1993, true],
          ],
        },
        {
          protocol: "pop3",
          ports: [
            [1110, false],
            [1995, true],
          ],
        },
        {
          protocol: "smtp",
          ports: [
            [1587, false],
            [1465, true],
          ],
        },
      ].map((server) => ({ ...server, starttls: "only", endpoint: "lookup.test" })),
    );
    for (const { listen, tls } of servers) {
      assert.notEqual(tls, null);
      assert.ok(listen.every(({ proxyProtocol }) => !proxyProtocol));
    }
  });

  test("SMTP sessions log in to their upstreams", () => {
    const [, , smtp] = settings(certified()).servers;
    assert.equal(smtp!.proxy_smtp_auth, true);
    assert.equal(smtp!.xclient, false);
  });

  test("behind a load balancer every port expects the PROXY header, from its networks only", () => {
    for (const environment of [BEHIND, { ...certified(), ...BEHIND }]) {
      const networks = "10.0.0.0/8, 2001:db8::/32\n192.0.2.1 ";
      const { servers } = settings({ ...environment, POSTERN_TRUSTED_NETWORKS: networks });
      for (const { listen, set_real_ip_from } of servers) {
        assert.deepEqual(set_real_ip_from, ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]);
        assert.ok(listen.every(({ proxyProtocol }) => proxyProtocol));
      }
    }
  });

  test("lookups may name mail servers in networks that a variable lists", () => {
    const { servers } = settings({ ...BEHIND, POSTERN_UPSTREAM_ALLOW: "127.0.0.0/8, ::1" });
    for (const { upstream_allow } of servers) {
      assert.deepEqual(upstream_allow, ["127.0.0.0/8", "::1"]);
    }
  });

  test("where the load balancer terminates TLS there is no certificate and no TLS", () => {
    for (const { listen, tls } of settings(BEHIND).servers) {
      assert.equal(listen.length, 1);
      assert.equal(tls, null);
    }
  });

  test("the key is a variable or a file, without the line end of the file", () => {
    const file = join(directory, "key");
    writeFileSync(file, 'a-"\\secret\n');
    for (const key of [{ POSTERN_AUTH_KEY: 'a-"\\secret' }, { POSTERN_AUTH_KEY_FILE: file }]) {
      const [imap] = settings({ ...certified(), ...key }).servers;
      assert.deepEqual(imap!.auth_http_header, ['X-Auth-Key: a-"\\secret']);
    }
  });

  test("-T shows every file that was read except the key", () => {
    const { files } = read({ ...certified(), POSTERN_AUTH_KEY: "hush" });
    assert.ok(files.some(({ path }) => path === "/environment/POSTERN_AUTH_HTTP"));
    assert.doesNotMatch(JSON.stringify(files), /hush/);
  });

  test("a configuration file may include a variable", () => {
    const file = join(directory, "own.conf");
    const text =
      "include /environment/POSTERN_AUTH_KEY; auth_http 127.0.0.1:9; server { listen 143; }";
    writeFileSync(file, `mail { ${text} }`);
    const source = { file, prefix: ".", globals: "", errorLog: null };
    const environment = { POSTERN_AUTH_KEY: "hush" };
    const [imap] = readConfiguration({ ...source, environment }).settings.servers;
    assert.deepEqual(imap!.auth_http_header, ["X-Auth-Key: hush"]);
    assert.throws(() => readConfiguration({ ...source, environment: {} }), {
      message: /open\(\) "\/environment\/POSTERN_AUTH_KEY" failed \(2: .*\) in .*own\.conf:1$/,
    });
  });

  test("the other settings suit a container, and variables change them", () => {
    const { worker_processes, worker_shutdown_timeout, worker_connections, drain_delay } =
      settings(BEHIND);
    assert.ok(worker_processes >= 1);
    assert.equal(drain_delay, 0);
    assert.deepEqual([worker_shutdown_timeout, worker_connections], [8000, 16_384]);
    const changed = settings({
      ...BEHIND,
      POSTERN_WORKERS: "3",
      POSTERN_SHUTDOWN_TIMEOUT: "5m",
      POSTERN_DRAIN_DELAY: "20s",
      POSTERN_CONNECTIONS: "1000",
      POSTERN_SERVER_NAME: "mail.test",
    });
    assert.equal(changed.worker_processes, 3);
    assert.equal(changed.worker_shutdown_timeout, 300_000);
    assert.equal(changed.drain_delay, 20_000);
    assert.equal(changed.worker_connections, 1000);
    assert.ok(changed.servers.every(({ server_name }) => server_name === "mail.test"));
  });

  test("an empty variable counts as not set", () => {
    const { worker_processes } = settings({ ...BEHIND, POSTERN_WORKERS: "", POSTERN_AUTH_KEY: "" });
    assert.ok(worker_processes >= 1);
    assert.match(mistake({ ...BEHIND, POSTERN_AUTH_HTTP: "" }), /^POSTERN_AUTH_HTTP is not set;/);
  });

  test("a value is one word, whatever it contains", () => {
    const value = fc
      .string({ unit: "binary", maxLength: 200 })
      .map((text) => text.trim())
      .filter(Boolean);
    fc.assert(
      fc.property(value, (name) => {
        const { servers } = settings({ ...BEHIND, POSTERN_SERVER_NAME: name });
        assert.equal(servers.length, 3);
        const [{ server_name }] = servers as [(typeof servers)[0]];
        assert.equal(Buffer.from(server_name, "latin1").toString(), Buffer.from(name).toString());
      }),
      inputs(4),
    );
  });

  test("variables that platforms set for a service named postern are ignored", () => {
    const theirs = {
      POSTERN_PORT: "tcp://10.0.0.1:143",
      POSTERN_PORT_143_TCP_ADDR: "10.0.0.1",
      POSTERN_SERVICE_HOST: "10.0.0.1",
      POSTERN_SERVICE_PORT_IMAP: "143",
      POSTERN_STATUS_PORT: "tcp://10.0.0.1:9143",
      POSTERN_STATUS_SERVICE_HOST: "10.0.0.1",
    };
    assert.equal(settings({ ...BEHIND, ...theirs }).servers.length, 3);
  });
});

describe("an environment that does not make a configuration", () => {
  const cases: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
    [{}, /^POSTERN_AUTH_HTTP is not set; set it to .*https:/],
    [
      AUTH_HTTP,
      /^POSTERN_CERTIFICATE is not set, .*; .*POSTERN_TRUSTED_NETWORKS to its addresses$/,
    ],
    [
      { ...BEHIND, POSTERN_CERTIFICATE: "/a" },
      /^POSTERN_CERTIFICATE_KEY is not set: POSTERN_CERTIFICATE and POSTERN_CERTIFICATE_KEY go together$/,
    ],
    [
      { ...BEHIND, POSTERN_CERTIFICATE_KEY: "/a" },
      /^POSTERN_CERTIFICATE is not set: POSTERN_CERTIFICATE and POSTERN_CERTIFICATE_KEY go together$/,
    ],
    [
      { ...BEHIND, POSTERN_AUTH_KEY: "a", POSTERN_AUTH_KEY_FILE: "/a" },
      /^POSTERN_AUTH_KEY and POSTERN_AUTH_KEY_FILE are both set$/,
    ],
    [
      { ...BEHIND, POSTERN_TRUSTED_NETWORK: "::/0" },
      /^unknown variable POSTERN_TRUSTED_NETWORK; did you mean POSTERN_TRUSTED_NETWORKS\?$/,
    ],
    [
      { ...BEHIND, POSTERN_AUTH_HTTP: "https://lookup.test:x" },
      / in \/environment\/POSTERN_AUTH_HTTP:1$/,
    ],
    [
      { ...BEHIND, POSTERN_WORKERS: "many" },
      /^"worker_processes" .* in \/environment\/POSTERN_WORKERS:1$/,
    ],
    [
      { ...BEHIND, POSTERN_SHUTDOWN_TIMEOUT: "soon" },
      / in \/environment\/POSTERN_SHUTDOWN_TIMEOUT:1$/,
    ],
    [{ ...BEHIND, POSTERN_CONNECTIONS: "-1" }, / in \/environment\/POSTERN_CONNECTIONS:1$/],
    [
      { ...BEHIND, POSTERN_CERTIFICATE: "/missing.pem", POSTERN_CERTIFICATE_KEY: "/missing.pem" },
      /"\/missing\.pem".* in \/environment\/POSTERN_CERTIFICATE:1$/,
    ],
    [
      { ...BEHIND, POSTERN_AUTH_KEY_FILE: "/missing" },
      /^open\(\) of the file of "POSTERN_AUTH_KEY_FILE" failed .* in \/environment\/POSTERN_AUTH_KEY_FILE:1; .* not the secret itself$/,
    ],
    [
      { ...BEHIND, POSTERN_AUTH_KEY: "hush\r\nAuth-User: root" },
      /^(?!.*hush).* in \/environment\/POSTERN_AUTH_KEY:1$/,
    ],
  ];
  for (const [environment, expected] of cases) {
    test(expected.source, () => assert.match(mistake(environment), expected));
  }
});
