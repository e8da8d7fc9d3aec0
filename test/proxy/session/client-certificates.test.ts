// Client certificates: the client's refusal, the lookup's Auth-SSL headers and the log lines.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from "node:tls";
import { once } from "node:events";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { chain, issue, opensslSays } from "../../support/certificates/authority.ts";
import type { Certificate } from "../../support/certificates/certificate.ts";
import {
  type LookupEndpoint,
  reply,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { attempt, protocolNames, untilClosed } from "../../support/peers/mail-client.ts";
import { type Scratch, makeScratch } from "../../support/programs/scratch.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { Wire } from "../../support/peers/wire.ts";

const root = issue("/CN=root", { ca: true });
const intermediate = issue("/CN=between", { ca: true, by: root });
const subordinate = issue("/CN=below", { ca: true, by: intermediate });
const anna = issue("/C=DE/O=Zoë \\+ Söhne, GmbH+OU=Post/CN=anna\r\nAuth-Status: OK", {
  by: root,
  serial: "0xabc",
});
const selfSigned = issue("/CN=self");
const expired = issue("/CN=old", { by: root, days: -1 });
const deep = chain(issue("/CN=deep", { by: subordinate }), subordinate, intermediate);

type Security = "ssl" | "starttls";
const securities: readonly Security[] = ["ssl", "starttls"];
const modes = ["on", "optional", "optional_no_ca"] as const;
type Mode = (typeof modes)[number];
type Name = `${ProtocolName} ${Security} ${Mode}`;

let files: Scratch;
let endpoint: LookupEndpoint;
let postern: Servers<Name | "passing">;
before(async () => {
  files = await makeScratch();
  await writeFile(join(files.path, "root.crt"), root.certificate);
  endpoint = await startLookupEndpoint(() => reply(200, { "Auth-Status": "no" }));
  const clients = `ssl_client_certificate ${files.path}/root.crt;`;
  const names = protocolNames.flatMap((protocol) =>
    securities.flatMap((security) => modes.map((mode): Name => `${protocol} ${security} ${mode}`)),
  );
  const servers = Object.fromEntries(
    names.map((name) => {
      const [protocol, security, mode] = name.split(" ");
      const listen =
        security === "ssl" ? "listen 127.0.0.1:PORT ssl;" : "listen 127.0.0.1:PORT; starttls on;";
      return [name, `${listen} protocol ${protocol}; ssl_verify_client ${mode}; ${clients}`];
    }),
  ) as Record<Name, string>;
  const passing = `listen 127.0.0.1:PORT ssl; protocol imap; ssl_verify_client on; ${clients} auth_http_pass_client_cert on;`;
  postern = await startServers(`auth_http ${endpoint.address};`, { ...servers, passing });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await files.remove();
});

const STARTTLS = { imap: "t STARTTLS", pop3: "STLS", smtp: "STARTTLS" };
const GREETING = { imap: /^\* OK /, pop3: /^\+OK/, smtp: /^220 / };

/** A client under TLS; STARTTLS follows the greeting, and implicit TLS leaves the greeting unread. */
class TlsClient {
  readonly socket: TLSSocket;
  readonly wire: Wire;
  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.wire = new Wire(socket);
  }

  static async connect(
    name: Name,
    shown: Certificate | null,
    more: ConnectionOptions = {},
  ): Promise<TlsClient> {
    const [protocol, security] = name.split(" ") as [ProtocolName, Security];
    const options: ConnectionOptions = {
      rejectUnauthorized: false,
      ...(shown === null ? {} : { cert: shown.certificate, key: shown.key }),
      ...more,
    };
    const port = postern.ports[name];
    if (security === "ssl")
      return new TlsClient(connectTls({ ...options, port, host: "127.0.0.1" }));
    const socket = connectSocket(port, "127.0.0.1");
    const clear = new Wire(socket);
    assert.match(await clear.line(), GREETING[protocol]);
    clear.write(`${STARTTLS[protocol]}\r\n`);
    await clear.line();
    return new TlsClient(connectTls({ ...options, socket }));
  }
}

/** Connects and returns the lines up to the server's close. */
async function linesUntilClosed(name: Name, shown: Certificate | null): Promise<readonly string[]> {
  const { wire } = await TlsClient.connect(name, shown);
  return untilClosed(wire);
}

/** Logs in under a unique name, and returns the Auth-SSL lines of the login's lookup. */
async function logInUnderTls(name: Name, shown: Certificate | null, more: ConnectionOptions = {}) {
  const [protocol, security] = name.split(" ") as [ProtocolName, Security];
  const { wire, socket } = await TlsClient.connect(name, shown, more);
  if (security === "ssl") assert.match(await wire.line(), GREETING[protocol]);
  const login = crypto.randomUUID();
  await attempt(protocol, wire, { login, password: "x" });
  const lookup = endpoint.lookups.find((each) => each.header("Auth-User") === login);
  const lines = lookup?.lines.filter((line) => line.startsWith("Auth-SSL")) ?? [];
  return { lines, socket };
}

const NO_CERTIFICATE = {
  imap: "* BYE No required SSL certificate",
  pop3: "-ERR No required SSL certificate",
  smtp: "421 4.7.1 No required SSL certificate",
};
const BAD_CERTIFICATE = {
  imap: "* BYE SSL certificate error",
  pop3: "-ERR SSL certificate error",
  smtp: "421 4.7.1 SSL certificate error",
};

const annaHeaders = [
  String.raw`Auth-SSL-Subject: CN=anna\0D\0AAuth-Status: OK,O=Zo\C3\AB \+ S\C3\B6hne\, GmbH+OU=Post,C=DE`,
  "Auth-SSL-Issuer: CN=root",
  "Auth-SSL-Serial: 0ABC",
  `Auth-SSL-Fingerprint: ${opensslSays(anna.certificate, "-fingerprint", "-sha1")
    .replace(/^.*=|:/g, "")
    .toLowerCase()}`,
];

describe("client certificates", { concurrency: 4 }, () => {
  for (const protocol of protocolNames) {
    for (const security of securities) {
      describe(`${protocol} with ${security}`, { concurrency: true }, () => {
        const server = (mode: Mode): Name => `${protocol} ${security} ${mode}`;

        test("a client without a required certificate is refused", async () => {
          assert.deepEqual(await linesUntilClosed(server("on"), null), [NO_CERTIFICATE[protocol]]);
        });

        test("a client whose certificate fails verification is refused", async () => {
          const refused: readonly (readonly [Mode, Certificate])[] = [
            ["on", selfSigned],
            ["on", expired],
            ["on", deep],
            ["optional", selfSigned],
            ["optional", deep],
            ["optional_no_ca", expired],
          ];
          for (const [mode, shown] of refused) {
            assert.deepEqual(await linesUntilClosed(server(mode), shown), [
              BAD_CERTIFICATE[protocol],
            ]);
          }
        });

        test("the lookup describes a verified certificate", async () => {
          for (const mode of modes) {
            const { lines } = await logInUnderTls(server(mode), anna);
            assert.deepEqual(lines.slice(3), ["Auth-SSL-Verify: SUCCESS", ...annaHeaders]);
          }
        });

        test("the lookup says NONE for a client without an optional certificate", async () => {
          for (const mode of ["optional", "optional_no_ca"] as const) {
            const { lines } = await logInUnderTls(server(mode), null);
            assert.deepEqual(lines.slice(3), ["Auth-SSL-Verify: NONE"]);
          }
        });

        test("optional_no_ca admits a certificate of an unknown authority, and the lookup gives the failure", async () => {
          const { lines } = await logInUnderTls(server("optional_no_ca"), selfSigned);
          assert.equal(lines[3], "Auth-SSL-Verify: FAILED:self-signed certificate");
          assert.equal(lines[4], "Auth-SSL-Subject: CN=self");
          const { lines: deepLines } = await logInUnderTls(server("optional_no_ca"), deep);
          assert.equal(
            deepLines[3],
            "Auth-SSL-Verify: FAILED:unable to get local issuer certificate",
          );
        });
      });
    }
  }

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`the lookup describes the certificate of a resumed ${maxVersion} session`, async () => {
      const name: Name = "imap ssl on";
      const { socket } = await TlsClient.connect(name, anna, { maxVersion });
      const [session] = (await once(socket, "session")) as [Buffer];
      socket.destroy();
      const again = await logInUnderTls(name, anna, { maxVersion, session });
      assert.equal(again.socket.isSessionReused(), true);
      assert.deepEqual(again.lines.slice(3), ["Auth-SSL-Verify: SUCCESS", ...annaHeaders]);
    });

    test(`a client that resumes a refused ${maxVersion} session is refused again`, async () => {
      const name: Name = "imap ssl on";
      const { socket } = await TlsClient.connect(name, selfSigned, { maxVersion });
      const [session] = (await once(socket, "session")) as [Buffer];
      socket.destroy();
      const again = await TlsClient.connect(name, selfSigned, { maxVersion, session });
      assert.deepEqual(await untilClosed(again.wire), [BAD_CERTIFICATE.imap]);
      assert.equal(again.socket.isSessionReused(), true);
    });
  }

  test("auth_http_pass_client_cert sends the client's certificate to the lookup", async () => {
    const socket = connectTls({
      port: postern.ports.passing,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      cert: anna.certificate,
      key: anna.key,
    });
    const wire = new Wire(socket);
    await wire.line();
    await attempt("imap", wire, { login: "passing", password: "x" });
    const lookup = endpoint.lookups.find((each) => each.header("Auth-User") === "passing");
    const passed = lookup?.header("Auth-SSL-Cert") ?? "";
    assert.equal(passed, anna.certificate.replaceAll(" ", "%20").replaceAll("\n", "%0A"));
  });

  test("the log gives the reason for a refused certificate", async () => {
    await linesUntilClosed("pop3 starttls on", null);
    await linesUntilClosed("pop3 ssl on", expired);
    await postern.proxy.program.logs(
      /\[info\] .*client sent no required SSL certificate while in starttls state, client: 127\.0\.0\.1 using starttls, server: /,
    );
    await postern.proxy.program.logs(
      /\[info\] .*client SSL certificate verify error: \(10:certificate has expired\) while SSL handshaking, client: 127\.0\.0\.1, server: /,
    );
  });
});
