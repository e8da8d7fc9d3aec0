import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { before, describe, test } from "node:test";
import type { SocketServerTls } from "../../../../proxy/transport/index.ts";
import { issue, pairFiles } from "../../../support/certificates/authority.ts";
import { visit } from "../../../support/transport/handshake.ts";
import { serverTls } from "../../../support/transport/server-tls.ts";

const authority = issue("/CN=authority", { ca: true });
const other = issue("/CN=other", { ca: true });
const second = issue("/CN=second");
const client = issue("/CN=client", { by: authority });
const files = {
  ...pairFiles({ ca: authority, other, second }),
  k1: Buffer.alloc(48, "1"),
  k2: Buffer.alloc(48, "2"),
  long: Buffer.alloc(80, "3"),
};

/** @param first the server of the first connection
 * @param later the server of the second connection */
async function resumes(
  version: "TLSv1.2" | "TLSv1.3",
  first: SocketServerTls | Promise<SocketServerTls>,
  later = first,
): Promise<boolean> {
  const options = {
    minVersion: version,
    maxVersion: version,
    servername: "mail.test",
    cert: client.certificate,
    key: client.key,
  };
  const { session } = await visit(options, first);
  if (session === null) return false;
  const { tls } = await visit({ ...options, session }, later);
  return tls.resumed;
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  describe(`a session of ${version}`, () => {
    test("is resumed by the same worker and by another worker", async () => {
      assert.equal(await resumes(version, serverTls()), true);
      assert.equal(await resumes(version, serverTls(), serverTls()), true);
    });

    // A client of TLS 1.3 uses a ticket once; a client of TLS 1.2 may keep its ticket.
    test("is resumed repeatedly", async () => {
      const server = await serverTls();
      const options = { minVersion: version, maxVersion: version, servername: "mail.test" };
      let { session } = await visit(options, server);
      for (let count = 0; count < 4; count++) {
        assert.ok(session !== null, `no ticket after ${count} resumed sessions`);
        const next = await visit({ ...options, session }, server);
        assert.equal(next.tls.resumed, true);
        session = next.session ?? (version === "TLSv1.2" ? session : null);
      }
    });

    test("is not resumed with other ticket keys", async () => {
      const elsewhere = serverTls("", {}, new Uint8Array(48).fill(8));
      assert.equal(await resumes(version, serverTls(), elsewhere), false);
    });

    const CACHES: Readonly<Record<string, boolean>> = {
      "ssl_session_cache none;": true,
      "ssl_session_cache off;": true,
      "ssl_session_tickets off;": false,
      "ssl_session_cache none; ssl_session_tickets off;": false,
      "ssl_session_cache off; ssl_session_tickets off;": false,
      "ssl_session_cache builtin:100; ssl_session_tickets off;": true,
      "ssl_session_cache shared:a:1m; ssl_session_tickets off;": true,
      "ssl_conf_command Options -SessionTicket;": false,
    };
    for (const [directives, resumed] of Object.entries(CACHES)) {
      test(`is ${resumed ? "" : "not "}resumed with ${directives}`, async () => {
        assert.equal(await resumes(version, serverTls(directives)), resumed);
      });
    }

    describe("with keys from files", () => {
      const server = (...names: readonly string[]): Promise<SocketServerTls> =>
        serverTls(
          names.map((name) => `ssl_session_ticket_key ${name};`).join(" "),
          files,
          crypto.getRandomValues(new Uint8Array(48)),
        );

      test("is resumed by every server with the same file", async () => {
        assert.equal(await resumes(version, server("k1"), server("k1")), true);
        assert.equal(await resumes(version, server("long"), server("long")), true);
        assert.equal(await resumes(version, server("k1"), server("k2")), false);
      });

      test("is resumed if its key is listed as an older key", async () => {
        assert.equal(await resumes(version, server("k1"), server("k2", "long", "k1")), true);
        assert.equal(await resumes(version, server("k2", "k1"), server("k2")), true);
      });

      test("is not resumed if its key has been removed", async () => {
        assert.equal(await resumes(version, server("k1", "k2"), server("k2", "long")), false);
        assert.equal(await resumes(version, server("k2", "k1"), server("k1")), false);
      });
    });

    describe("of a client with a certificate", () => {
      const demand = "ssl_verify_client on; ssl_client_certificate ca.crt;";
      const server = (directives: string): Promise<SocketServerTls> => serverTls(directives, files);

      test("is resumed by a server with the same directives", async () => {
        assert.equal(await resumes(version, server(demand), server(demand)), true);
      });

      const ELSEWHERE: Readonly<Record<string, string>> = {
        "no certificate is demanded": "",
        "another authority is trusted": demand.replace("ca.crt", "other.crt"),
        "certificates are optional": demand.replace(" on", " optional"),
        "any certificate is accepted": demand.replace(" on", " optional_no_ca"),
        "the chain may be longer": `${demand} ssl_verify_depth 2;`,
        "the server has another certificate": `${demand} ssl_certificate second.crt; ssl_certificate_key second.key;`,
      };
      for (const [how, directives] of Object.entries(ELSEWHERE)) {
        test(`is not resumed if ${how}, nor in the opposite order`, async () => {
          assert.equal(await resumes(version, server(demand), server(directives)), false);
          assert.equal(await resumes(version, server(directives), server(demand)), false);
        });
      }
    });
  });
}

describe("a certificate of a resumed session", () => {
  let server: SocketServerTls;
  before(async () => {
    server = await serverTls("ssl_verify_client on; ssl_client_certificate ca.crt;", files);
  });

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`has the same fields as in the first session (${version})`, async () => {
      const options = {
        maxVersion: version,
        cert: client.certificate,
        key: client.key,
      };
      const { tls: first, session } = await visit(options, server);
      const { tls: again } = await visit({ ...options, session: session! }, server);
      assert.equal(again.resumed, true);
      assert.equal(again.verification?.error, null);
      assert.equal(again.verification?.certificate?.pem, first.verification?.certificate?.pem);
      assert.equal(again.verification?.certificate?.pem, client.certificate);
    });

    test(`that has expired since the first session is reported (${version})`, async (t) => {
      const options = {
        maxVersion: version,
        cert: client.certificate,
        key: client.key,
      };
      const { tls: first, session } = await visit(options, server);
      assert.equal(first.verification?.error, null);
      const { validToDate } = new X509Certificate(client.certificate);
      t.mock.timers.enable({ apis: ["Date"], now: validToDate.getTime() + 1000 });
      const { tls: again } = await visit({ ...options, session: session! }, server);
      assert.equal(again.resumed, true);
      assert.deepEqual(again.verification?.error, {
        code: 10,
        reason: "certificate has expired",
      });
    });
  }
});
