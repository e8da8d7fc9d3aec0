// Directives that nginx does not have: auth_strict, max_login_failures and auth_http_unescape.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type LookupEndpoint,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import type { Listener } from "../../support/peers/mailbox/index.ts";
import { greeted, untilClosed } from "../../support/peers/mail-client.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/peers/upstream.ts";
import { clearClient } from "../../support/proxy/protocol-client.ts";

let upstream: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<"external" | "patient" | "escaped">;

before(async () => {
  upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  endpoint = await startLookupEndpoint((lookup) => {
    if (lookup.header("Auth-User") === "eve") {
      return reply(200, { "Auth-Status": "no", "Auth-Wait": 1 });
    }
    if (lookup.header("Auth-User") === "broken") return route(upstream.port, { "Auth-User": "%x" });
    return route(upstream.port, { "Auth-User": "an%20na%25", "Auth-Pass": "%e4%2F" });
  });
  postern = await startServers(`auth_http ${endpoint.address};`, {
    external: "listen 127.0.0.1:PORT; protocol imap; imap_auth external; auth_strict on;",
    patient: "listen 127.0.0.1:PORT; protocol imap; max_login_failures 2;",
    escaped: "listen 127.0.0.1:PORT; protocol imap; auth_http_unescape on;",
  });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await upstream.close();
});

test("auth_strict refuses EXTERNAL without a verified certificate, and sends no lookup", async () => {
  const wire = await greeted("imap", postern.ports.external);
  wire.write(`a AUTHENTICATE EXTERNAL ${btoa("anna")}\r\n`);
  assert.deepEqual(await untilClosed(wire), ["a NO client certificate required"]);
  assert.ok(endpoint.lookups.every((lookup) => lookup.header("Auth-Method") !== "external"));
});

describe("auth_strict accepts plain passwords only where the configuration names their mechanism", () => {
  const strict = { auth_strict: true };
  const digests = { imap_auth: ["cram-md5"], pop3_auth: ["apop"], smtp_auth: ["cram-md5"] };
  const plain = btoa("\0anna\0secret");

  test("IMAP announces LOGINDISABLED, and refuses LOGIN and AUTHENTICATE with a password", () => {
    const client = clearClient("imap", { ...strict, ...digests });
    assert.match(client.say("a CAPABILITY"), / AUTH=CRAM-MD5 LOGINDISABLED\r\n/);
    assert.equal(client.say("a LOGIN anna secret"), "a BAD invalid command");
    assert.equal(client.say(`a AUTHENTICATE PLAIN ${plain}`), "a BAD invalid command");
    assert.equal(client.say("a AUTHENTICATE LOGIN"), "a BAD invalid command");
  });

  test("POP3 refuses USER and AUTH LOGIN, and accepts APOP", () => {
    const client = clearClient("pop3", { ...strict, ...digests });
    assert.equal(client.say("USER anna"), "-ERR invalid command");
    assert.equal(client.say("AUTH LOGIN"), "-ERR invalid command");
    assert.match(client.say("APOP anna x"), /^<apop/);
  });

  test("SMTP refuses AUTH PLAIN", () => {
    const client = clearClient("smtp", { ...strict, ...digests });
    assert.equal(client.say(`AUTH PLAIN ${plain}`), "500 5.5.1 Invalid command");
  });

  test("each protocol accepts passwords with its default mechanisms, which include plain passwords", () => {
    assert.equal(clearClient("imap", strict).say("a LOGIN anna secret"), "<plain|anna|secret>");
    assert.equal(clearClient("pop3", strict).say("AUTH LOGIN"), "+ VXNlcm5hbWU6");
    assert.equal(clearClient("smtp", strict).say(`AUTH PLAIN ${plain}`), "<plain|anna|secret>");
  });

  test("without auth_strict, IMAP and POP3 accept passwords that are not named, as nginx does", () => {
    assert.equal(clearClient("imap", digests).say("a LOGIN anna secret"), "<plain|anna|secret>");
    assert.doesNotMatch(clearClient("imap", digests).say("a CAPABILITY"), /LOGINDISABLED/);
    assert.equal(clearClient("pop3", digests).say("USER anna"), "+OK");
  });
});

test("max_login_failures ends the session at the last permitted failure, also under Auth-Wait", async () => {
  const wire = await greeted("imap", postern.ports.patient);
  wire.write("a LOGIN eve x\r\n");
  assert.equal(await wire.line(), "a NO no");
  wire.write("b LOGIN eve x\r\n");
  assert.deepEqual(await untilClosed(wire), ["b NO no"]);
});

test("auth_http_unescape decodes a login and a password of any bytes from the lookup's reply", async () => {
  const wire = await greeted("imap", postern.ports.escaped);
  wire.write("a LOGIN anna x\r\n");
  assert.match(await wire.line(), /^a OK/);
  assert.ok(upstream.lines.includes("an na% {2+}"));
  assert.ok(upstream.lines.includes("\xe4/"));
  wire.end();
});

test("auth_http_unescape answers a malformed percent-escape with a temporary failure", async () => {
  const wire = await greeted("imap", postern.ports.escaped);
  wire.write("a LOGIN broken x\r\n");
  assert.deepEqual(await untilClosed(wire), ["a NO [UNAVAILABLE] internal server error"]);
  await postern.proxy.program.logs(/sent a broken percent-escape/);
});
