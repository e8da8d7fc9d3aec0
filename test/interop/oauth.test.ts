// Logins of mail programs with a bearer token.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import {
  type LookupEndpoint,
  reply,
  route,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import { type Mailbox, startMailbox } from "../support/peers/mailbox/index.ts";
import { granted, greetedSecurely, untilClosed } from "../support/peers/mail-client.ts";
import { run } from "../support/programs/program.ts";
import { lacking } from "../support/programs/requirements.ts";
import { type Servers, startServers } from "../support/programs/servers.ts";

const alice = { address: "alice@example.test", password: "wonderland" };
const TOKEN = "ya29.a0AfH6SMBx~token/+x==";
const FAILURE = btoa(JSON.stringify({ status: "401", schemes: "bearer", scope: "mail" }));

const started = new AsyncDisposableStack();
let mailbox: Mailbox;
let endpoint: LookupEndpoint;
let postern: Servers<"imap" | "pop3" | "smtp" | "imap XOAUTH2" | "pop3 XOAUTH2">;

before(async () => {
  mailbox = await startMailbox({
    name: "one",
    users: [alice, { address: "bearer@example.test", password: TOKEN }],
  });
  started.defer(() => mailbox.close());
  endpoint = await startLookupEndpoint((lookup) => {
    const protocol = lookup.header("Auth-Protocol") as "imap" | "pop3" | "smtp";
    if (lookup.header("Auth-Pass") === TOKEN) {
      const own = lookup.header("Auth-User") === "bearer@example.test";
      return route(mailbox[protocol].port, own ? {} : { "Auth-Pass": alice.password });
    }
    const again = lookup.header("Auth-User") === "again@example.test" ? { "Auth-Wait": 1 } : {};
    return reply(200, { "Auth-Status": "go away", "Auth-Error-SASL": FAILURE, ...again });
  });
  started.defer(() => endpoint.close());
  const server = (protocol: string, methods = "xoauth2 oauthbearer"): string =>
    `listen 127.0.0.1:PORT ssl; protocol ${protocol}; ${protocol}_auth ${methods};`;
  postern = await startServers(`auth_http ${endpoint.address}; proxy_smtp_auth on; xclient off;`, {
    imap: server("imap"),
    pop3: server("pop3"),
    smtp: server("smtp"),
    "imap XOAUTH2": server("imap", "xoauth2"),
    "pop3 XOAUTH2": server("pop3", "xoauth2"),
  });
  started.defer(() => postern.stop());
});
after(() => started.disposeAsync());

function curl(protocol: "imap" | "pop3", port: number, token: string) {
  const url = `${protocol}s://127.0.0.1:${port}/`;
  const login = ["--user", alice.address, "--oauth2-bearer", token];
  return run("curl", ["-sS", "-k", "--max-time", "30", ...login, url]);
}

describe("curl", { skip: lacking("curl") }, () => {
  for (const mechanism of ["XOAUTH2", "OAUTHBEARER"]) {
    for (const protocol of ["imap", "pop3"] as const) {
      const server = mechanism === "XOAUTH2" ? (`${protocol} ${mechanism}` as const) : protocol;

      test(`opens a mailbox by ${protocol} with ${mechanism}`, async () => {
        const { end, stdout, stderr } = await curl(protocol, postern.ports[server], TOKEN);
        assert.equal(end, 0, stderr);
        assert.notEqual(stdout, "");
        const last = endpoint.lookups.at(-1);
        assert.equal(last?.header("Auth-Method"), mechanism.toLowerCase());
        assert.equal(last.header("Auth-User"), alice.address);
        assert.equal(last.header("Auth-Pass"), TOKEN);
        assert.equal(last.header("Auth-SSL"), "on");
      });

      test(`is refused by ${protocol} with ${mechanism} and a wrong token`, async () => {
        const { end } = await curl(protocol, postern.ports[server], "wrong");
        assert.equal(end, 67, "curl's CURLE_LOGIN_DENIED");
      });
    }
  }
});

test("imapflow opens a mailbox with a token", async () => {
  const client = new ImapFlow({
    host: "127.0.0.1",
    port: postern.ports.imap,
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: alice.address, accessToken: TOKEN },
    logger: false,
  });
  await client.connect();
  const { exists } = await client.mailboxOpen("INBOX");
  await client.logout();
  assert.ok(exists > 0);
});

test("nodemailer submits with a token", async () => {
  const transport = createTransport({
    host: "127.0.0.1",
    port: postern.ports.smtp,
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { type: "OAuth2", user: alice.address, accessToken: TOKEN },
  });
  const { accepted } = await transport.sendMail({
    from: alice.address,
    to: alice.address,
    subject: "with a token",
    text: "hello",
  });
  transport.close();
  assert.deepEqual(accepted, [alice.address]);
});

const response = (user: string, token: string): string =>
  btoa(`user=${user}\u0001auth=Bearer ${token}\u0001\u0001`);

test("the failure of the endpoint is sent as a challenge, and its text follows the response", async () => {
  const wire = await greetedSecurely("imap", postern.ports.imap);
  wire.write(`a AUTHENTICATE XOAUTH2 ${response("eve@example.test", "stolen")}\r\n`);
  assert.equal(await wire.line(), `+ ${FAILURE}`);
  wire.write("AQ==\r\n");
  assert.deepEqual(await untilClosed(wire), ["a NO go away"]);
});

test("a client that may try again may do so after the challenge", async () => {
  const wire = await greetedSecurely("smtp", postern.ports.smtp);
  wire.write(`AUTH XOAUTH2 ${response("again@example.test", "stale")}\r\n`);
  assert.equal(await wire.line(), `334 ${FAILURE}`);
  wire.write("\r\n");
  assert.equal(await wire.line(), "535 5.7.0 go away");
  wire.write(`AUTH XOAUTH2 ${response("alice@example.test", TOKEN)}\r\n`);
  assert.match(await wire.line(), granted.smtp);
  wire.end();
});

test("the token is the password at the upstream where the lookup names none", async () => {
  const wire = await greetedSecurely("pop3", postern.ports.pop3);
  wire.write(`AUTH XOAUTH2 ${response("bearer@example.test", TOKEN)}\r\n`);
  assert.match(await wire.line(), granted.pop3);
  wire.end();
});

test("no log holds a token", async () => {
  const wire = await greetedSecurely("imap", postern.ports.imap);
  wire.write(`a AUTHENTICATE XOAUTH2 ${response("anna@example.test", TOKEN)}x\r\n`);
  assert.match(await wire.line(), /^a BAD/);
  wire.end();
  await postern.proxy.program.logs(/client sent invalid [\w ]+ in AUTH XOAUTH2 command/);
  const { stdout, stderr } = postern.proxy.program;
  for (const secret of [TOKEN, "stolen", btoa(TOKEN)]) {
    assert.ok(!`${stdout}${stderr}`.includes(secret));
  }
});
