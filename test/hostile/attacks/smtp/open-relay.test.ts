// Open relay by every spelling of a recipient (`smtp_auth none`): before a server that would relay anything, the worker
// and the proxy let pass only recipients of the directory, byte for byte.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { seed } from "../../../support/worker/directory.ts";
import type { Listener } from "../../../support/peers/mailbox/index.ts";
import { RawClient } from "../../../support/peers/raw-client.ts";
import { type Servers, startServers } from "../../../support/programs/servers.ts";
import { startUpstream } from "../../../support/peers/upstream.ts";
import { type RunningWorker, startWorker } from "../../../support/worker/worker.ts";

let worker: RunningWorker;
let upstream: Listener;
let postern: Servers<"smtp">;

before(async () => {
  worker = await startWorker({ vars: { DEFAULT_DOMAIN: "example.test" } });
  // It accepts all recipients, as a server does that trusts the proxy.
  upstream = await startUpstream(async (wire) => {
    wire.write("220 hi\r\n");
    for (;;) {
      await wire.line();
      wire.write("250 ok\r\n");
    }
  });
  const passwordHash = "x";
  await seed(worker.db, {
    groups: [{ name: "mail" }],
    servers: [{ name: "mail-1", group: "mail", host: "127.0.0.1", smtpPort: upstream.port }],
    users: [
      { address: "alice@example.test", group: "mail", passwordHash },
      { address: "bob@elsewhere.test", group: "mail", passwordHash },
      { address: "50%off@example.test", group: "mail", passwordHash },
      { address: "dora@closed.test", group: "mail", passwordHash },
    ],
    domains: [
      { name: "example.test", group: "mail" },
      { name: "any.test", group: "mail", recipients: "any" },
      { name: "closed.test", group: "mail", recipients: "none" },
      { name: "xn--bcher-kva.test", group: "mail", recipients: "any" },
    ],
  });
  postern = await startServers(
    `auth_http ${worker.url}/auth; auth_http_header X-Auth-Key development; smtp_auth none;
     xclient off; max_errors 100;`,
    { smtp: "listen 127.0.0.1:PORT; protocol smtp;" },
  );
});
after(async () => {
  await postern.stop();
  await upstream.close();
  await worker.dispose();
});

/** Recipients of other domains, in every disguise. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  "plain addresses": [
    "<mallory@evil.test>",
    "<postmaster@evil.test>",
    "<POSTMASTER@EVIL.TEST>",
    "<alice@example.test.evil.test>",
    "<alice@sub.example.test>",
    "<alice@evilexample.test>",
    "<nobody@example.test>",
    "<dora@closed.test>",
  ],
  "source routes": [
    "<@example.test:mallory@evil.test>",
    "<@example.test,@any.test:mallory@evil.test>",
    "<@example.test:@any.test:mallory@evil.test>",
    "<alice@example.test:mallory@evil.test>",
  ],
  "the percent hack": [
    "<mallory%evil.test@example.test>",
    "<mallory%evil.test@any.test>",
    "<mallory%evil.test%other.test@any.test>",
    "<alice+%evil.test@example.test>",
    "<alice%example.test@evil.test>",
    "<mallory%evil.test>",
  ],
  "bang paths": [
    "<evil.test!mallory@example.test>",
    "<evil.test!mallory@any.test>",
    "<evil.test!mallory>",
    "<example.test!evil.test!mallory>",
    "<any.test!mallory@evil.test>",
  ],
  "two signs": [
    "<mallory@evil.test@example.test>",
    "<mallory@evil.test@any.test>",
    "<alice@example.test@evil.test>",
    "<alice+x@evil.test@example.test>",
    "<@evil.test@any.test>",
  ],
  "quoted local parts": [
    '<"mallory@evil.test"@example.test>',
    '<"mallory@evil.test"@any.test>',
    '<"mallory%evil.test"@any.test>',
    '<"evil.test!mallory"@any.test>',
    '<"alice@example.test"@evil.test>',
    '<"alice"@evil.test>',
    String.raw`<"mallory\@evil.test"@any.test>`,
    '<"alice@example.test>"@evil.test>',
    '<""@any.test>',
  ],
  "address literals": [
    "<mallory@[192.0.2.66]>",
    "<alice@[127.0.0.1]>",
    "<alice@[IPv6:::1]>",
    "<alice@127.0.0.1>",
    "<alice@#2130706433>",
  ],
  "comments, spaces and brackets": [
    "<alice@example.test(comment)@evil.test>",
    "<mallory@evil.test (alice@example.test)>",
    "<alice @example.test>",
    "< mallory@evil.test>",
    "mallory@evil.test",
    "alice@example.test",
    "<<alice@example.test>>",
    "<alice@example.test><mallory@evil.test>",
    "<alice@example.test>,<mallory@evil.test>",
    "<alice@example.test",
    "<>",
    "<@>",
    "<@any.test>",
    "<alice@>",
  ],
  "other scripts": [
    "<alice@ex\u0430mple.test>",
    "<mallory\uff20evil.test>",
    "<alice@example.test\uff20evil.test>",
    "<alice@evil.test\uff0fany.test>",
    "<alice@example.test\u0000.evil.test>",
    "<alice@example.test%00evil.test>",
    "<alice@b\u00fccher.example.test>",
  ],
  "controls and 8-bit bytes": [
    "<alice@example.test\x7f.evil.test>",
    "<alice@example.test\t.evil.test>",
    "<alice@example.test\x0b>",
    "<alice@any.test\xff.evil.test>",
  ],
};

/** Recipients of the directory. */
const OURS = [
  "<alice@example.test>",
  "<ALICE@Example.TEST>",
  "<alice+shop@example.test>",
  "<bob@elsewhere.test>",
  "<50%off@example.test>",
  "<whoever@any.test>",
  "<whoever@b\u00fccher.test>",
  '<"alice"@example.test>',
  "<alice@example.test> NOTIFY=NEVER",
];

/** Sends one recipient; returns the answer and what the upstream heard of it. */
async function recipient(
  text: string,
): Promise<{ readonly answer: string; readonly heard: readonly string[] }> {
  const sender = `${crypto.randomUUID()}@sender.test`;
  const command = Buffer.from(`RCPT TO:${text}`).toString("latin1");
  const client = await RawClient.connect(postern.ports.smtp);
  await client.send(`EHLO x\r\nMAIL FROM:<${sender}>\r\n${command}\r\n`);
  await client.until(/\n250 2\.0\.0 OK\r\n[^]*\r\n$/);
  await client.leave();
  const at = upstream.lines.findIndex((line) => line.includes(sender));
  return {
    answer: client.text.split("\r\n").at(-2) ?? "",
    heard: at === -1 ? [] : upstream.lines.slice(at),
  };
}

describe("recipients of other domains", { concurrency: true }, () => {
  for (const [what, recipients] of Object.entries(FOREIGN)) {
    test(`no recipient of another domain passes by ${what}`, async () => {
      await Promise.all(
        recipients.map(async (each) => {
          const { answer, heard } = await recipient(each);
          assert.match(answer, /^5[05]\d 5\./, each);
          assert.deepEqual(heard, [], each);
        }),
      );
    });
  }
});

describe("recipients of the directory", () => {
  for (const each of OURS) {
    test(`${each} passes byte for byte`, async () => {
      const { answer, heard } = await recipient(each);
      assert.match(answer, /^250 ok/);
      assert.equal(heard[1], Buffer.from(`RCPT TO:${each}`).toString("latin1"));
    });
  }
});
