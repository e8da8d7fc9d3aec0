// SMTP state carried over: from one transaction to the next, across STARTTLS, and from a refused recipient to the next
// one (the kinds of CVE-2025-53859 and CVE-2026-27651 under `smtp_auth none`).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type AttackSite, startAttackSite } from "../../../support/peers/attack-site.ts";
import { reply, route } from "../../../support/peers/lookup-endpoint.ts";
import type { Lookup } from "../../../support/peers/lookup-endpoint.ts";
import type { Listener } from "../../../support/peers/mailbox/index.ts";
import { greeted } from "../../../support/peers/mail-client.ts";
import { RawClient } from "../../../support/peers/raw-client.ts";
import { startUpstream } from "../../../support/peers/upstream.ts";
import type { Wire } from "../../../support/peers/wire.ts";

let site: AttackSite<"smtp">;
let upstream: Listener;
/** The commands of each session at the upstream. */
const sessions: string[][] = [];

before(async () => {
  upstream = await startUpstream(async (wire) => {
    const commands: string[] = [];
    sessions.push(commands);
    wire.write("220 mx\r\n");
    for (;;) {
      const line = await wire.line();
      commands.push(line);
      wire.write(line.startsWith("EHLO") ? "250-mx\r\n250 XCLIENT NAME ADDR\r\n" : "250 ok\r\n");
    }
  });
  site = await startAttackSite("starttls on; smtp_auth none plain;", {
    smtp: "listen 127.0.0.1:PORT; protocol smtp;",
  });
  site.answer = (lookup) => {
    const refused = /refused/.test(
      lookup.header("Auth-SMTP-To") ?? lookup.header("Auth-User") ?? "",
    );
    return refused ? reply(200, { "Auth-Status": "no", "Auth-Wait": 1 }) : route(upstream.port);
  };
});
after(async () => {
  await site.stop();
  await upstream.close();
});

async function say(wire: Wire, ...lines: readonly string[]): Promise<string> {
  let last = "";
  for (const line of lines) {
    wire.write(`${line}\r\n`);
    do last = await wire.line();
    while (/^\d\d\d-/.test(last));
  }
  return last;
}

/** Lookups whose recipient or login holds this word. */
function lookupsOf(word: string): Lookup[] {
  return site.lookups.filter(({ lines }) => lines.some((line) => line.includes(word)));
}

/** The commands of the upstream session to which this word belongs. */
function upstreamOf(word: string): readonly string[] {
  return sessions.find((commands) => commands.join().includes(word)) ?? [];
}

describe("smtp: what a session has said", { concurrency: true }, () => {
  test("of a refused recipient is not in the lookup for the next one, nor before the upstream", async () => {
    const wire = await greeted("smtp", site.postern.ports.smtp);
    const long = `refused-${"x".repeat(300)}@a.test`;
    await say(wire, "EHLO one", "MAIL FROM:<long-sender-name@a.test>");
    assert.match(await say(wire, `RCPT TO:<${long}>`), /^535 5\.7\.0 no/);
    assert.match(await say(wire, "RCPT TO:<b1@a.test>"), /^250/);
    const { lines } = lookupsOf("b1@a.test")[0]!;
    assert.deepEqual(
      lines
        .filter((line) => /^Auth-(?:SMTP|User|Pass|Login)/.test(line))
        .map((line) => line.trim()),
      [
        "Auth-User:",
        "Auth-Pass:",
        "Auth-Login-Attempt: 2",
        "Auth-SMTP-Helo: one",
        "Auth-SMTP-From: MAIL FROM:<long-sender-name@a.test>",
        "Auth-SMTP-To: RCPT TO:<b1@a.test>",
      ],
    );
    assert.deepEqual(upstreamOf("b1@a.test").slice(-2), [
      "MAIL FROM:<long-sender-name@a.test>",
      "RCPT TO:<b1@a.test>",
    ]);
    wire.end();
  });

  test("in a transaction that RSET, EHLO or HELO has ended is not part of the next", async () => {
    for (const [index, end] of ["RSET", "EHLO two", "HELO two"].entries()) {
      const wire = await greeted("smtp", site.postern.ports.smtp);
      await say(wire, "EHLO one", "MAIL FROM:<old@a.test>");
      assert.match(await say(wire, end), /^250/);
      assert.match(await say(wire, "RCPT TO:<nobody@a.test>"), /^503/);
      assert.match(await say(wire, `MAIL FROM:<new${index}@a.test>`), /^250/);
      assert.match(await say(wire, `RCPT TO:<c${index}@a.test>`), /^250/);
      const [lookup] = lookupsOf(`c${index}@a.test`);
      assert.equal(lookup?.header("Auth-SMTP-From"), `MAIL FROM:<new${index}@a.test>`);
      assert.ok(!upstreamOf(`c${index}@a.test`).join().includes("old@a.test"));
      wire.end();
    }
    assert.equal(lookupsOf("nobody@a.test").length, 0);
  });

  test("in the clear is forgotten under TLS: HELO, MAIL and the attempt at a recipient", async () => {
    const clear = await RawClient.connect(site.postern.ports.smtp);
    const said = ["EHLO clear-name", "MAIL FROM:<clear@a.test>", "RCPT TO:<refused-d0@a.test>"];
    await clear.send(`${said.join("\r\n")}\r\nSTARTTLS\r\n`);
    await clear.until(/\n220 2\.0\.0 Start TLS\r\n$/);
    const secured = await clear.startTls();
    await secured.send("RCPT TO:<nobody@a.test>\r\n");
    await secured.until(/^503 .*\r\n$/);
    await secured.send("MAIL FROM:<tls@a.test>\r\nRCPT TO:<d1@a.test>\r\n");
    await secured.until(/\n250 ok\r\n$/);
    assert.ok(!lookupsOf("d1@a.test")[0]!.lines.join().includes("clear"));
    assert.ok(!upstreamOf("d1@a.test").join().includes("clear"));
    await secured.leave();
  });

  test("about a recipient is not repeated before an upstream by a later AUTH", async () => {
    const wire = await greeted("smtp", site.postern.ports.smtp);
    await say(wire, "EHLO one", "MAIL FROM:<e0@a.test>", "RCPT TO:<refused-e0@a.test>");
    assert.match(await say(wire, `AUTH PLAIN ${btoa("\0e1\0password-of-e1")}`), /^235/);
    const [lookup] = lookupsOf("Auth-User: e1");
    assert.deepEqual(
      lookup?.lines.filter((line) => line.includes("SMTP-")),
      [],
    );
    assert.ok(!sessions.flat().some((command) => /e0@a\.test/.test(command)));
    wire.end();
  });

  test("by a refused AUTH is not in the lookup of a later recipient", async () => {
    const wire = await greeted("smtp", site.postern.ports.smtp);
    await say(wire, "EHLO one", `AUTH PLAIN ${btoa("\0refused-f0\0password-of-f0")}`);
    assert.match(await say(wire, "MAIL FROM:<f1@a.test>", "RCPT TO:<f2@a.test>"), /^250/);
    const [{ lines, header } = { lines: [], header: () => "" }] = lookupsOf("f2@a.test");
    assert.doesNotMatch(lines.join(), /refused-f0|of-f0/);
    assert.equal(header("Auth-Method"), "none");
    // XCLIENT names a user only where one has logged in.
    assert.ok(!upstreamOf("f2@a.test").some((command) => /LOGIN=/.test(command)));
    wire.end();
  });
});
