import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { eventually } from "../../support/eventually.ts";
import {
  type LookupEndpoint,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import {
  attempt,
  granted,
  greeted,
  greetedSecurely,
  protocolNames,
  untilClosed,
  upgraded,
} from "../../support/peers/mail-client.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";
import type { Wire } from "../../support/peers/wire.ts";

const CANARY = "canary-9e7c41";
const anna = { login: "anna@example.test", password: CANARY };

let mailbox: Mailbox;
let endpoint: LookupEndpoint;
let postern: Servers<ProtocolName | "imaps" | "quiet">;

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  const [closedPort] = await freePorts(1);
  endpoint = await startLookupEndpoint((lookup) => {
    const login = lookup.header("Auth-User");
    if (login === "refused") return reply(200, { "Auth-Status": "Go away\x1b[2J" });
    if (login === "failing") return reply(500, {});
    if (login === "stranded") return route(closedPort!);
    return route(mailbox[lookup.header("Auth-Protocol") as ProtocolName].port);
  });
  postern = await startServers(
    `auth_http ${endpoint.address}; proxy_pass_error_message on; starttls on;`,
    {
      ...inTheClear,
      imaps: "listen 127.0.0.1:PORT ssl; protocol imap;",
      quiet: `${inTheClear.pop3} error_log stderr error;`,
    },
    "error_log debug.log debug;",
  );
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await mailbox.close();
});

/** Waits for the access log's line of the session with this login. */
async function accessLogLine(
  login: string | null,
  protocol: string,
): Promise<Record<string, unknown>> {
  return eventually(`the access log has a ${protocol} session of ${login}`, () =>
    postern
      .sessions()
      .find((session) => session["login"] === login && session["protocol"] === protocol),
  );
}

async function logOut(protocol: ProtocolName, wire: Wire): Promise<void> {
  wire.write(protocol === "imap" ? "z LOGOUT\r\n" : "QUIT\r\n");
  await untilClosed(wire);
}

for (const protocol of protocolNames) {
  test(`the access log describes a ${protocol} session in one line of JSON`, async () => {
    const wire = await greeted(protocol, postern.ports[protocol]);
    assert.match(await attempt(protocol, wire, { ...anna, login: anna.login }), granted[protocol]);
    await logOut(protocol, wire);
    const session = await accessLogLine(anna.login, protocol);
    assert.deepEqual(Object.keys(session), [
      "log",
      "time",
      "connection",
      "trace_id",
      "protocol",
      "remote_addr",
      "remote_port",
      "remote_host",
      "server_addr",
      "server_port",
      "ssl_protocol",
      "ssl_cipher",
      "ssl_server_name",
      "ssl_session_reused",
      "login",
      "login_attempts",
      "lookup_time",
      "upstream_addr",
      "upstream_connect_time",
      "upstream_login_time",
      "bytes_received",
      "bytes_sent",
      "session_time",
      "status",
      "logged_in",
      "end",
    ]);
    assert.ok(Number.isFinite(Date.parse(String(session["time"]))));
    assert.equal(session["remote_addr"], "127.0.0.1");
    assert.equal(session["server_port"], postern.ports[protocol]);
    assert.equal(session["ssl_protocol"], null);
    assert.equal(session["upstream_addr"], `127.0.0.1:${mailbox[protocol].port}`);
    assert.equal(session["login_attempts"], 1);
    assert.equal(session["logged_in"], true);
    assert.equal(session["bytes_received"], protocol === "imap" ? 10 : 6);
    assert.ok(Number(session["bytes_sent"]) > 0);
    assert.match(String(session["end"]), /closed the connection$/);
  });
}

test("the access log names the server of a session that the client resets", async () => {
  const socket = connect(postern.ports.quiet, "127.0.0.1");
  await once(socket, "data");
  const port = socket.localPort;
  socket.resetAndDestroy();
  const session = await eventually(`the access log has the session from port ${port}`, () =>
    // The server's port is compared too, because two clients may have the same port towards two servers.
    postern
      .sessions()
      .find((one) => one["remote_port"] === port && one["server_port"] === postern.ports.quiet),
  );
  assert.equal(session["server_addr"], "127.0.0.1");
});

test("the access log and the lookup name the TLS version and cipher as OpenSSL does", async () => {
  const wire = await greetedSecurely("imap", postern.ports.imaps);
  assert.match(await attempt("imap", wire, { ...anna, login: "refused" }), /^a NO /);
  await untilClosed(wire);
  const session = await accessLogLine("refused", "imap");
  assert.equal(session["ssl_protocol"], "TLSv1.3");
  assert.match(String(session["ssl_cipher"]), /^TLS_/);
  assert.equal(session["ssl_server_name"], "mail.test");
  assert.equal(session["ssl_session_reused"], false);
  const lookup = endpoint.lookups.at(-1);
  assert.equal(lookup?.header("Auth-SSL"), "on");
  assert.equal(lookup?.header("Auth-SSL-Protocol"), "TLSv1.3");
  assert.equal(lookup?.header("Auth-SSL-Cipher"), session["ssl_cipher"]);
});

for (const protocol of protocolNames) {
  test(`a ${protocol} login works after STARTTLS, and the lookup is told of TLS`, async () => {
    const wire = await upgraded(protocol, postern.ports[protocol]);
    assert.match(await attempt(protocol, wire, anna), granted[protocol]);
    await logOut(protocol, wire);
    assert.equal(endpoint.lookups.at(-1)?.header("Auth-SSL"), "on");
    const line = new RegExp(
      `client logged in, client: 127\\.0\\.0\\.1 using starttls, server: 127\\.0\\.0\\.1:${postern.ports[protocol]}`,
    );
    assert.match(postern.proxy.program.stderr, line);
  });
}

const LINE =
  /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(?:debug|info|notice|warn|error|crit|alert|emerg)\] \d+#\d+: (?:\*\d+ )?[^\r\n]+$/;

test("each line of the error log has nginx's form", async () => {
  for (const login of ["failing", "stranded"]) {
    const wire = await greeted("imap", postern.ports.imap);
    await attempt("imap", wire, { ...anna, login });
    await untilClosed(wire);
  }
  const lines = postern.proxy.program.stderr.trimEnd().split("\n");
  for (const line of lines) assert.match(line, LINE);
  const suffix = `, client: 127\\.0\\.0\\.1, server: 127\\.0\\.0\\.1:${postern.ports.imap}, login: `;
  const expected = [
    `\\*\\d+ client 127\\.0\\.0\\.1:\\d+ connected to 127\\.0\\.0\\.1:${postern.ports.imap}$`,
    `\\*\\d+ client logged in${suffix}"anna@example\\.test", upstream: 127\\.0\\.0\\.1:${mailbox.imap.port}$`,
    `\\*\\d+ proxied session done${suffix}"anna@example\\.test", upstream: 127\\.0\\.0\\.1:${mailbox.imap.port}$`,
    `\\[error\\] .* answered 500 while in http auth state${suffix}"failing"$`,
  ];
  for (const pattern of expected) {
    assert.ok(
      lines.some((line) => new RegExp(pattern).test(line)),
      pattern,
    );
  }
});

test("input of a peer cannot forge or break a line of a log", async () => {
  const wire = await greeted("smtp", postern.ports.smtp);
  wire.write("MAIL FROM:<a>\r\x1b[2J\r\nNOOP\r\n");
  await wire.line();
  wire.write(`AUTH PLAIN ${btoa("\0evil\x1b[2J\x9b\0x")}\r\n`);
  await wire.line();
  wire.write("QUIT\r\n");
  await untilClosed(wire);
  const { stdout, stderr } = postern.proxy.program;
  // oxlint-disable-next-line no-control-regex -- the test looks for control characters
  assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  // oxlint-disable-next-line no-control-regex -- as above
  assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f]/);
});

test("no password appears in any output, also from failed or malformed logins", async () => {
  const secret = btoa(`\0anna\0${CANARY}`);
  const misplaced: Record<ProtocolName, string[]> = {
    imap: [
      `a LOGIN anna ${CANARY} more`,
      `a LOGIN refused ${CANARY}`,
      `a AUTHENTICATE PLAIN ${secret}!`,
      `a AUTHENTICATE PLAIN ${btoa(CANARY)}`,
      `a LOGIN stranded ${CANARY}`,
      `${CANARY} ${CANARY}\0 ${CANARY}`,
      `a LOGIN "anna" "${CANARY}`,
      `a LOGIN anna ${CANARY.repeat(1000)}`,
    ],
    pop3: [`PASS ${CANARY}`, `USER anna\r\nPASS ${CANARY}\0`, `AUTH PLAIN ${secret} x`, CANARY],
    smtp: [
      `AUTH ${secret}`,
      `EHLO ${CANARY} x`,
      `AUTH PLAIN ${btoa(CANARY)}`,
      `AUTH LOGIN ${CANARY}`,
    ],
  };
  for (const protocol of protocolNames) {
    for (const command of misplaced[protocol]) {
      const wire = await greeted(protocol, postern.ports[protocol]);
      wire.write(`${command}\r\n`);
      await wire.line();
      wire.end();
      await untilClosed(wire);
    }
  }
  const outputs = `${postern.proxy.program.stdout}${postern.proxy.program.stderr}`;
  for (const form of [CANARY, secret, btoa(CANARY), secret.slice(8, 24)]) {
    assert.ok(!outputs.includes(form), `${form} was written`);
  }
});
