import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
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
import { Wire } from "../../support/peers/wire.ts";
import { connect } from "node:net";

let imap: Listener;
let pop3: Listener;
let smtp: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<"imap" | "pop3" | "anyone" | "patient">;
let waits = 0;

before(async () => {
  imap = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  pop3 = await startUpstream(async (wire) => {
    for (const line of ["+OK ready", "+OK", "+OK in"]) {
      wire.write(`${line}\r\n`);
      if (line !== "+OK in") await wire.line();
    }
    await silence();
  });
  smtp = await startUpstream(async (wire) => {
    wire.write("220 in\r\n");
    for (;;) {
      const line = await wire.line();
      if (line.startsWith("RCPT TO:<nobody@")) wire.write("550 5.1.1 no such user\r\n");
      else wire.write(line.startsWith("RCPT") ? "250 2.1.5 welcome\r\n" : "250 fine\r\n");
    }
  });
  endpoint = await startLookupEndpoint((lookup) => {
    const password = lookup.header("Auth-Method") === "none" ? {} : { "Auth-Pass": "s3cret" };
    if (lookup.header("Auth-User") === "nopass") return route(imap.port);
    if (lookup.header("Auth-User") === "wait" && waits++ === 0) {
      return reply(200, { "Auth-Status": "WAIT", "Auth-Wait": 1 });
    }
    const ports: Record<string, number> = { imap: imap.port, pop3: pop3.port, smtp: smtp.port };
    return route(ports[lookup.header("Auth-Protocol") ?? ""]!, password);
  });
  postern = await startServers(`auth_http ${endpoint.address};`, {
    imap: "listen 127.0.0.1:PORT; protocol imap; imap_auth plain cram-md5 external;",
    pop3: "listen 127.0.0.1:PORT; protocol pop3; pop3_auth apop cram-md5;",
    anyone: "listen 127.0.0.1:PORT; protocol smtp; smtp_auth none; xclient off;",
    patient: "listen 127.0.0.1:PORT; protocol smtp; smtp_greeting_delay 300ms;",
  });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await Promise.all([imap.close(), pop3.close(), smtp.close()]);
});

function lookupOf(user: string): LookupEndpoint["lookups"][number] {
  return endpoint.lookups.find((lookup) => lookup.header("Auth-User") === user)!;
}

test("CRAM-MD5 sends the digest and the salt to the lookup, and the upstream gets the lookup's password", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  wire.write("a AUTHENTICATE CRAM-MD5\r\n");
  const [, challenge = ""] = (await wire.line()).split(" ");
  const salt = atob(challenge);
  assert.match(salt, /^<\d+\.\d+@mx\.example\.test>$/);
  const digest = createHmac("md5", "s3cret").update(salt).digest("hex");
  wire.write(`${btoa(`cram ${digest}`)}\r\n`);
  assert.match(await wire.line(), /^a OK/);
  const lookup = lookupOf("cram");
  assert.equal(lookup.header("Auth-Method"), "cram-md5");
  assert.equal(lookup.header("Auth-Pass"), digest);
  assert.equal(lookup.header("Auth-Salt"), salt);
  assert.ok(imap.lines.includes("s3cret"), "the upstream is given the lookup's password");
  wire.end();
});

test("APOP sends the greeting's salt and the digest to the lookup", async () => {
  const wire = new Wire(connect(postern.ports.pop3, "127.0.0.1"));
  const [, salt = ""] = /^\+OK POP3 ready (<.*>)$/.exec(await wire.line()) ?? [];
  wire.write(`APOP apop ${"0".repeat(32)}\r\n`);
  assert.equal(await wire.line(), "+OK in");
  assert.equal(lookupOf("apop").header("Auth-Salt"), salt);
  assert.equal(lookupOf("apop").header("Auth-Method"), "apop");
  assert.ok(pop3.lines.includes("PASS s3cret"));
  wire.end();
});

test("EXTERNAL sends the login to the lookup, with an empty password", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  wire.write(`a AUTHENTICATE EXTERNAL ${btoa("outside")}\r\n`);
  assert.match(await wire.line(), /^a OK/);
  assert.equal(lookupOf("outside").header("Auth-Method"), "external");
  assert.equal(lookupOf("outside").header("Auth-Pass"), "");
  wire.end();
});

test("a lookup's reply without a needed password is a temporary failure", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  wire.write(`a AUTHENTICATE EXTERNAL ${btoa("nopass")}\r\n`);
  assert.deepEqual(await untilClosed(wire), ["a NO [UNAVAILABLE] internal server error"]);
  await postern.proxy.program.logs(/did not send password/);
});

test("a SASL mechanism that is not enabled is an invalid command, with and without an initial response", async () => {
  const wire = await greeted("pop3", postern.ports.pop3);
  for (const command of ["AUTH EXTERNAL", `AUTH EXTERNAL ${btoa("x")}`, "AUTH CRAM-MD5 eA=="]) {
    wire.write(`${command}\r\n`);
    assert.equal(await wire.line(), "-ERR invalid command");
  }
  wire.end();
});

test("WAIT makes the proxy repeat the lookup after the wait, with the same attempt number", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  wire.write("a LOGIN wait x\r\n");
  assert.match(await wire.line(), /^a OK/);
  const lookups = endpoint.lookups.filter((lookup) => lookup.header("Auth-User") === "wait");
  assert.deepEqual(
    lookups.map((lookup) => lookup.header("Auth-Login-Attempt")),
    ["1", "1"],
  );
  wire.end();
});

test("smtp_auth none sends the recipient to the lookup, and replays the transaction to the upstream", async () => {
  const wire = await greeted("smtp", postern.ports.anyone);
  wire.write("EHLO laptop.example\r\n");
  assert.equal(await wire.line(), "250 mx.example.test");
  wire.write("RCPT TO:<anna@example.test>\r\n");
  assert.equal(await wire.line(), "503 5.5.1 Bad sequence of commands");
  wire.write("MAIL FROM:<b@example.test>  SIZE=9\r\n");
  assert.equal(await wire.line(), "250 2.0.0 OK");
  wire.write("RCPT TO:<anna@example.test> \r\n");
  assert.equal(await wire.line(), "250 2.1.5 welcome");
  const lookup = endpoint.lookups.find((one) => one.header("Auth-Method") === "none")!;
  assert.equal(lookup.header("Auth-SMTP-Helo"), "laptop.example");
  assert.equal(lookup.header("Auth-SMTP-From"), "MAIL FROM:<b@example.test>  SIZE=9");
  assert.equal(lookup.header("Auth-SMTP-To"), "RCPT TO:<anna@example.test>");
  assert.deepEqual(smtp.lines, [
    "EHLO mx.example.test",
    "MAIL FROM:<b@example.test>  SIZE=9",
    "RCPT TO:<anna@example.test>",
  ]);
  wire.end();
});

test("smtp_auth none passes the upstream's refusal of a recipient to the client unchanged", async () => {
  const wire = await greeted("smtp", postern.ports.anyone);
  wire.write("MAIL FROM:<>\r\nRCPT TO:<nobody@example.test>\r\n");
  assert.equal(await wire.line(), "250 2.0.0 OK");
  assert.equal(await wire.line(), "550 5.1.1 no such user");
  wire.end();
});

test("a client that speaks before the delayed greeting is refused", async () => {
  const wire = new Wire(connect(postern.ports.patient, "127.0.0.1"));
  wire.write("EHLO eager\r\n");
  assert.deepEqual(await untilClosed(wire), ["503 5.5.0 Improper use of SMTP command pipelining"]);
});

test("a client that waits is greeted after the delay", async () => {
  const wire = await greeted("smtp", postern.ports.patient);
  wire.write("QUIT\r\n");
  assert.deepEqual(await untilClosed(wire), ["221 2.0.0 Bye"]);
});
