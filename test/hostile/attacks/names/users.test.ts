// Hostile user and host names: into lookups, upstream commands and logs they go as data, or not at all (CVE-2026-28753's
// kind). No name makes a header, a command or a log line of its own.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ProtocolName, unescapeBytes } from "../../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../../support/peers/attack-site.ts";
import { route } from "../../../support/peers/lookup-endpoint.ts";
import { protocolNames } from "../../../support/peers/mail-client.ts";
import type { Listener } from "../../../support/peers/mailbox/index.ts";
import { RawClient } from "../../../support/peers/raw-client.ts";
import { startUpstream } from "../../../support/peers/upstream.ts";

/** Names that must be refused: they would end a header or a command. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  "CR LF and a header": "anna\r\nAuth-Status: OK\r\nX: y",
  "LF and a command": "anna\nDELE 1",
  "a bare CR": "anna\rb",
  "a NUL": "anna\0root",
};

/** Names that pass, byte for byte. */
const STRANGE: Readonly<Record<string, string>> = {
  "an escaped CR LF": "anna%0D%0AAuth-Status:%20OK",
  "percent signs": "100%%s%n%2",
  "quotes and backslashes": String.raw`an"na\" 'x' \\{5}\r\n`,
  "header syntax": "anna: x, Auth-Server: 192.0.2.66",
  "log syntax": '", client: 192.0.2.66, server: x, login: "root',
  "JSON syntax": '"},{"login":"root',
  "variables of log_format": "$remote_addr ${login}",
  "XCLIENT syntax": "anna LOGIN=root ADDR=192.0.2.66 +0D+0A",
  "control characters": "\x01\x07\b\t\v\f\x1b[31mred\x1b]0;title\x07\x7f",
  "C1 control characters": "\x9b31m\xc2\x9b31m\xc2\x85x",
  "bytes that are not UTF-8": "\xff\xfe\xc3(\xe2\x82\xed\xa0\x80",
  "text that runs backwards": Buffer.from("\u202e\u2028\u2066gpj.exe").toString("latin1"),
  "300 bytes": "x".repeat(300),
};

// oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
const CONTROL = /[\0-\t\v-\x1f\x7f-\x9f]/;

let site: AttackSite<ProtocolName>;
const upstreams = {} as Record<ProtocolName, Listener>;
/** All that the upstreams received. */
const heard: string[] = [];

before(async () => {
  upstreams.imap = await startUpstream(async (wire) => {
    wire.write("* OK [CAPABILITY IMAP4rev1 LITERAL+ ID] hi\r\n");
    heard.push(await wire.line());
    wire.write("* ID NIL\r\npostern OK\r\n");
    for (const _ of "123") heard.push(await wire.line());
    wire.write("a OK in\r\n");
    await wire.line();
  });
  upstreams.pop3 = await startUpstream(async (wire) => {
    wire.write("+OK [XCLIENT] hi\r\n");
    for (const _ of "123") {
      heard.push(await wire.line());
      wire.write("+OK\r\n");
    }
    await wire.line();
  });
  upstreams.smtp = await startUpstream(async (wire) => {
    wire.write("220 hi\r\n");
    for (;;) {
      const line = await wire.line();
      heard.push(line);
      const code = line.startsWith("AUTH") ? "235" : "250";
      wire.write(line.startsWith("EHLO") ? EXTENSIONS : `${code} ok\r\n`);
    }
  });
  site = await startAttackSite(
    `proxy_client_id on;
     log_format plain "$login|$ssl_server_name|$end"; log_format own escape=json '{"l":"$login"}';
     log_format raw escape=none "$login|$end";
     access_log stdout; access_log plain.log plain; access_log own.log own; access_log raw.log raw;`,
    {
      imap: "listen 127.0.0.1:PORT; protocol imap;",
      pop3: "listen 127.0.0.1:PORT; protocol pop3;",
      smtp: "listen 127.0.0.1:PORT; protocol smtp; smtp_auth plain none;",
    },
  );
  site.answer = (lookup) => route(upstreams[lookup.header("Auth-Protocol") as ProtocolName].port);
});
after(async () => {
  await site.stop();
  for (const upstream of Object.values(upstreams)) await upstream.close();
});

const EXTENSIONS = "250-mx\r\n250-XCLIENT NAME ADDR PORT LOGIN HELO TTL\r\n250 AUTH PLAIN\r\n";

/** A login with this name, in the form that can carry the most bytes. */
function login(protocol: ProtocolName, name: string): string {
  const plain = btoa(`\0${name}\0pass-word`);
  if (protocol === "imap") return `a LOGIN {${name.length}+}\r\n${name} pass-word\r\n`;
  return protocol === "pop3" ? `AUTH PLAIN ${plain}\r\n` : `EHLO x\r\nAUTH PLAIN ${plain}\r\n`;
}

const ANSWER = { imap: /\na .*\r\n$/, pop3: /\n[+-].*\r\n$/, smtp: /\n(?:235|5\d\d) .*\r\n$/ };

/** The names of a lookup's headers, in their order. */
const HEADERS = [
  "Host",
  "Auth-Method",
  "Auth-User",
  "Auth-Pass",
  "Auth-Protocol",
  "Auth-Login-Attempt",
].concat(["Client-IP", "Auth-Accept", "Traceparent"]);
for (const protocol of protocolNames) {
  describe(protocol, () => {
    for (const [what, name] of Object.entries(FORBIDDEN)) {
      test(`a name with ${what} is refused, and goes nowhere`, async () => {
        const client = await RawClient.connect(site.postern.ports[protocol]);
        const counts = [site.lookups.length, heard.length];
        await client.send(login(protocol, name));
        assert.match(await client.until(ANSWER[protocol]), /BAD|-ERR|5\d\d /);
        await client.leave();
        assert.deepEqual([site.lookups.length, heard.length], counts);
        assert.equal((await site.session(client))["login"], null);
      });
    }

    for (const [what, name] of Object.entries(STRANGE)) {
      test(`a name of ${what} reaches lookup and upstream byte for byte, and the logs without harm`, async () => {
        const client = await RawClient.connect(site.postern.ports[protocol]);
        heard.length = 0;
        await client.send(login(protocol, name));
        assert.match(await client.until(ANSWER[protocol]), /OK|^235 /m);
        await client.leave();
        const { lines, header } = site.lookups.at(-1)!;
        const names = lines.slice(1).map((line) => line.split(":")[0]);
        assert.deepEqual(
          names.filter((each) => each !== "Client-Host"),
          HEADERS,
        );
        assert.equal(unescapeBytes(header("Auth-User")!), name);
        if (protocol === "imap") assert.equal(heard[2]?.slice(0, name.length), name);
        else if (protocol === "pop3") assert.equal(heard[1], `USER ${name}`);
        else {
          const [, told = ""] = / LOGIN=([!-~]*)/.exec(heard[1] ?? "") ?? [];
          assert.equal(unxtext(told), name);
          assert.equal(heard[1]?.split("LOGIN=").length, 2);
        }
        const session = await site.session(client);
        const shown = Buffer.from(name, "latin1").toString().slice(0, 200);
        assert.equal(String(session["login"]).slice(0, 200), shown);
      });
    }
  });
}

/** RFC 3461 section 4. */
function unxtext(text: string): string {
  return text.replace(/\+([0-9A-F]{2})/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
}

test("smtp: a HELO name, sender and recipient with strange bytes stay in their header and their command", async () => {
  for (const name of Object.values(STRANGE).filter((each) => !each.includes(" "))) {
    const client = await RawClient.connect(site.postern.ports.smtp);
    heard.length = 0;
    await client.send(`EHLO ${name}\r\nMAIL FROM:<${name}@a>\r\nRCPT TO:<${name}@b>\r\n`);
    await client.until(/(?:250 ok|5\d\d .*)\r\n$/);
    await client.leave();
    const { lines, header } = site.lookups.at(-1)!;
    assert.equal(lines.filter((line) => line.startsWith("Auth-SMTP-")).length, 3);
    assert.equal(header("Auth-SMTP-Helo"), name.trim());
    assert.equal(header("Auth-SMTP-From"), `MAIL FROM:<${name}@a>`);
    assert.equal(header("Auth-SMTP-To"), `RCPT TO:<${name}@b>`);
    const xclient = heard.find((line) => line.startsWith("XCLIENT")) ?? "";
    assert.equal(unxtext(/ HELO=([!-~]*)/.exec(xclient)?.[1] ?? ""), name);
    assert.deepEqual(heard.slice(-3), [
      `EHLO ${name}`,
      `MAIL FROM:<${name}@a>`,
      `RCPT TO:<${name}@b>`,
    ]);
  }
});

test("no name has written a control character or a line of its own into any log", async () => {
  const { directory, program } = site.postern.proxy;
  const last = await RawClient.connect(site.postern.ports.imap);
  await last.leave();
  await site.session(last);
  const sessions = site.postern.sessions().length;
  for (const file of ["plain.log", "own.log", "raw.log"]) {
    const text = await readFile(join(directory, file), "utf8");
    assert.doesNotMatch(text, CONTROL, file);
    assert.equal(text.split("\n").length - 1, sessions, file);
  }
  assert.doesNotMatch(program.stdout, CONTROL);
  assert.doesNotMatch(program.stderr, CONTROL);
  const [, ...foreign] = program.stderr.split(
    /^(?:\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[\w+\] .*\n)*/,
  );
  assert.deepEqual(foreign, [""]);
});

test("no name can pass for the client's address in the error log: each line names one client alone", () => {
  const lines = site.postern.proxy.program.stderr.split("\n");
  const about = lines.filter((line) => line.includes("192.0.2.66"));
  assert.ok(about.length > 0);
  for (const line of about) {
    const outside = line.replace(/"[^"]*"/g, "");
    assert.ok(!outside.includes("192.0.2.66"), line);
  }
});
