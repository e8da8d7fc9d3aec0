// Logins by app password, token and client certificate, through Postern and the worker, to a Dovecot and a Postfix
// that know one master user and none of these methods.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { newSecret } from "../../worker/directory/secret.ts";
import { issue } from "../support/certificates/authority.ts";
import { seed, SEALING } from "../support/worker/directory.ts";
import {
  type Dovecot,
  freeMailPorts,
  mailConfig,
  type MailPorts,
  type MailProxy,
  type Postfix,
  startDovecot,
  startNginx,
  startPostern,
  startPostfix,
} from "../support/real-servers/index.ts";
import { run } from "../support/programs/program.ts";
import { lacking } from "../support/programs/requirements.ts";
import { makeScratch, type Scratch } from "../support/programs/scratch.ts";
import { startTokenProvider, type TokenProvider } from "../support/http/token-provider.ts";
import { type RunningWorker, startWorker } from "../support/worker/worker.ts";
import { serverOf } from "./mail-service.ts";

/** Alice has a random password at the servers, so that only the master user can log in there as Alice. */
const alice = { address: "alice@example.test", password: newSecret() };
const master = { address: "postern", password: newSecret() };
const phone = newSecret();

const root = issue("/CN=root", { ca: true });
const certificates = {
  root,
  alice: issue("/O=Example, Inc./CN=alice", { by: root }),
  eve: issue("/O=Example, Inc./CN=eve", { by: root }),
};

describe("curl", { skip: lacking("curl", "dovecot", "postfix", "nginx") }, () => {
  const started = new AsyncDisposableStack();
  let provider: TokenProvider;
  let dovecot: Dovecot;
  let postfix: Postfix;
  let worker: RunningWorker;
  let proxy: MailProxy;
  let ports: MailPorts;
  let files: Scratch;

  before(async () => {
    provider = await startTokenProvider();
    started.defer(() => provider.close());
    dovecot = await startDovecot([alice], master);
    started.defer(() => dovecot.stop());
    postfix = await startPostfix(dovecot, [alice]);
    started.defer(() => postfix.stop());
    worker = await startWorker({
      vars: {
        OAUTH_PROVIDERS: JSON.stringify([provider.signing]),
        MASTER_PASSWORDS: JSON.stringify({ [master.address]: master.password }),
        SECRET_KEYS: SEALING,
        // Refused logins of this test are not delayed.
        FAILURES_PER_ACCOUNT: "1000",
        FAILURES_PER_NETWORK: "1000",
      },
    });
    started.defer(() => worker.dispose());
    const user = alice.address;
    await seed(worker.db, {
      groups: [{ name: "real", upstreamAuth: "master", masterUser: master.address }],
      servers: [serverOf(dovecot, postfix)],
      users: [{ address: user, password: newSecret(), group: "real" }],
      appPasswords: [{ user, label: "phone", password: phone }],
      secrets: [{ user, purpose: "own", secret: "wonder land" }],
      certificates: [
        { user, kind: "subject", value: "CN=alice,O=Example\\, Inc.", issuer: "CN=root" },
      ],
    });
    files = await makeScratch();
    started.defer(files.remove);
    for (const [name, { certificate, key }] of Object.entries(certificates)) {
      await writeFile(join(files.path, `${name}.pem`), `${certificate}${key}`);
    }
    ports = await freeMailPorts();
    const methods = "plain cram-md5 xoauth2 oauthbearer";
    const directives = `imap_auth ${methods}; pop3_auth ${methods} apop; smtp_auth ${methods};`;
    proxy = await startPostern(mailConfig(ports, `${worker.url}/auth`, directives));
    started.defer(() => proxy.stop());
  });
  after(() => started.disposeAsync());

  const logIn = (protocol: "imap" | "pop3", how: readonly string[]) =>
    run("curl", ["-sS", "-k", ...how, `${protocol}s://127.0.0.1:${ports[`${protocol}s`]}/`]);

  const bearer = async (mechanism: string, email: string = alice.address) => {
    const login = ["--user", alice.address, "--login-options", `AUTH=${mechanism}`];
    return [...login, "--oauth2-bearer", await provider.sign({ email })];
  };
  const password = (mechanism: string, text: string) => [
    "--user",
    `${alice.address}:${text}`,
    "--login-options",
    `AUTH=${mechanism}`,
  ];

  for (const protocol of ["imap", "pop3"] as const) {
    for (const mechanism of ["XOAUTH2", "OAUTHBEARER"]) {
      test(`opens a mailbox by ${protocol} with a token in ${mechanism}`, async () => {
        const { end, stderr } = await logIn(protocol, await bearer(mechanism));
        assert.equal(end, 0, stderr);
      });

      test(`is refused by ${protocol} with the token of another user in ${mechanism}`, async () => {
        const { end } = await logIn(protocol, await bearer(mechanism, "eve@example.test"));
        assert.equal(end, 67, "curl's CURLE_LOGIN_DENIED");
      });
    }

    for (const mechanism of protocol === "pop3" ? ["CRAM-MD5", "+APOP"] : ["CRAM-MD5"]) {
      test(`opens a mailbox by ${protocol} with ${mechanism}, and with no other password`, async () => {
        const { end, stderr } = await logIn(protocol, password(mechanism, "wonder land"));
        assert.equal(end, 0, stderr);
        assert.equal((await logIn(protocol, password(mechanism, "wonderland"))).end, 67);
      });
    }

    test(`opens a mailbox by ${protocol} with an app password`, async () => {
      const { end, stderr } = await logIn(protocol, password("PLAIN", phone));
      assert.equal(end, 0, stderr);
    });
  }

  test("submits a message with a token", async () => {
    const envelope = ["--mail-from", alice.address, "--mail-rcpt", alice.address, "-T", "-"];
    const url = `smtps://127.0.0.1:${ports.smtps}/`;
    const args = ["-sS", "-k", ...(await bearer("XOAUTH2")), ...envelope, url];
    const input = `From: ${alice.address}\r\nSubject: with a token\r\n\r\nhello\r\n`;
    const { end, stderr } = await run("curl", args, { input });
    assert.equal(end, 0, stderr);
  });

  for (const [name, start] of Object.entries({ nginx: startNginx, Postern: startPostern })) {
    test(`opens a mailbox through ${name} with a certificate that is bound to the user, and with no other one`, async () => {
      const own = await freeMailPorts();
      const verifying = `ssl_verify_client on; ssl_client_certificate ${files.path}/root.pem;`;
      const external = `imap_auth external; ${verifying}`;
      const other = await start(mailConfig(own, `${worker.url}/auth`, external));
      const show = (certificate: string) => {
        const pair = ["--cert", `${files.path}/${certificate}`];
        const login = ["--user", `${alice.address}:`, "--login-options", "AUTH=EXTERNAL"];
        return run("curl", ["-sS", "-k", ...pair, ...login, `imaps://127.0.0.1:${own.imaps}/`]);
      };
      try {
        const { end, stderr } = await show("alice.pem");
        assert.equal(end, 0, stderr);
        assert.equal((await show("eve.pem")).end, 67);
      } finally {
        await other.stop();
      }
    });
  }

  test("leaves no token and no password in the log of the proxy", () => {
    const { stdout, stderr } = proxy.program;
    for (const secret of [phone, master.password, "wonder land", "eyJ"]) {
      assert.ok(!`${stdout}${stderr}`.includes(secret));
    }
  });
});
