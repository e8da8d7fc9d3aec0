// Tests of a proxy with our worker behind it, as mail programs use it. Both nginx and Postern must pass them.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { connect } from "node:net";
import { ALICE } from "../support/worker/harness.ts";
import type { MailProxy } from "../support/real-servers/index.ts";
import { Wire } from "../support/peers/wire.ts";
import { curl, imapflow, securities, submitters } from "./clients.ts";
import { alice, arrival, bob, carol, startService, type Service } from "./mail-service.ts";

/** Registers the tests; called in a suite of one proxy. */
export function endToEnd(startProxy: (config: string) => Promise<MailProxy>): void {
  let service: Service;
  before(async () => {
    service = await startService(startProxy);
    const welcome = { to: alice.address, subject: "Welcome", text: "to the whole path" };
    await submitters.nodemailer(service, "in the clear", welcome);
    await arrival(service, alice.address, welcome.text);
  });
  after(() => service[Symbol.asyncDispose]());

  reading(() => service);
  submitting(() => service);
  refusing(() => service);
}

function reading(service: () => Service): void {
  for (const security of securities) {
    test(`curl reads a message by IMAP ${security}`, async () => {
      const { stdout, stderr } = await curl(service(), "imap", security, {
        path: "INBOX;MAILINDEX=1",
      });
      assert.match(stdout, /^to the whole path/m, stderr);
    });

    test(`curl reads a message by POP3 ${security}`, async () => {
      const { stdout, stderr } = await curl(service(), "pop3", security, { path: "1" });
      assert.match(stdout, /^to the whole path/m, stderr);
    });

    test(`imapflow lists the inbox ${security}`, async () => {
      const client = await imapflow(service(), security);
      const { exists } = await client.mailboxOpen("INBOX");
      const message = await client.fetchOne("1", { envelope: true });
      await client.logout();
      assert.equal(exists, 1);
      assert.equal(message && message.envelope?.subject, "Welcome");
    });
  }

  test("a password of unusual characters opens the mailbox", async () => {
    const client = await imapflow(service(), "with TLS", carol);
    const { exists } = await client.mailboxOpen("INBOX");
    await client.logout();
    assert.equal(exists, 0);
    for (const protocol of ["imap", "pop3"] as const) {
      const { end, stderr } = await curl(service(), protocol, "with TLS", { account: carol });
      assert.equal(end, 0, stderr);
    }
  });

  test("an idle client is told of new mail at once", async () => {
    const client = await imapflow(service(), "with TLS", bob);
    await client.mailboxOpen("INBOX");
    const news = new Promise((resolve) => client.once("exists", resolve));
    const idle = client.idle();
    const mail = { to: bob.address, subject: "News", text: "while you idle" };
    await submitters.nodemailer(service(), "with TLS", mail);
    await news;
    await client.logout();
    await idle;
  });
}

function submitting(service: () => Service): void {
  for (const [name, submit] of Object.entries(submitters)) {
    for (const security of securities) {
      test(`${name} submits a message ${security}, and it arrives`, async () => {
        const subject = `From ${name} ${security}`;
        await submit(service(), security, { to: bob.address, subject, text: "Hello Bob" });
        const message = await arrival(service(), bob.address, `Subject: ${subject}`);
        assert.match(message, /^Hello Bob/m);
      });
    }
  }

  test("a large message passes unchanged, in and out", async () => {
    const lines = randomBytes(3_000_000).toString("base64").match(/.{76}/g) ?? [];
    const text = lines.join("\r\n");
    const mail = { to: bob.address, subject: "Large", text: `${text}\r\nthe end` };
    await submitters.curl(service(), "with TLS", mail);
    await arrival(service(), bob.address, "the end");
    const client = await imapflow(service(), "with STARTTLS", bob);
    await client.mailboxOpen("INBOX");
    const found = await client.search({ subject: "Large" });
    const message = await client.fetchOne(`${found && found[0]}`, { source: true });
    await client.logout();
    assert.ok(message && message.source?.toString("latin1").includes(text));
  });

  test("a client whose recipient is unknown gets the server's own reply", async () => {
    const { ports } = service();
    const wire = new Wire(connect(ports.smtp, "127.0.0.1"));
    const token = Buffer.from(`\0${alice.address}\0${alice.password}`).toString("base64");
    wire.write("EHLO client.example.test\r\n");
    await lineThat(wire, /^250 /);
    wire.write(`AUTH PLAIN ${token}\r\n`);
    await lineThat(wire, /^235 /);
    wire.write(`MAIL FROM:<${alice.address}>\r\n`);
    await lineThat(wire, /^250 /);
    wire.write("RCPT TO:<nobody@example.test>\r\n");
    assert.match(await wire.line(), /^550 5\.1\.1 .*nobody@example\.test/);
    wire.end();
  });
}

function refusing(service: () => Service): void {
  const wrong = { address: alice.address, password: "wrong" };

  for (const protocol of ["imap", "pop3", "smtp"] as const) {
    test(`curl reports a wrong password by ${protocol.toUpperCase()}`, async () => {
      const options = {
        account: wrong,
        args: protocol === "smtp" ? ["--mail-from", "a@b.test"] : [],
      };
      const { end, stderr } = await curl(service(), protocol, "with TLS", options);
      assert.equal(end, 67, stderr);
    });
  }

  test("a client whose account has had too many failed logins is told to try later", async () => {
    const login = "guessed@example.test";
    await exhaust(service(), login);
    const { ports } = service();
    const imap = new Wire(connect(ports.imap, "127.0.0.1"));
    imap.write(`a LOGIN ${login} wrong\r\n`);
    assert.match(await lineThat(imap, /^a /), /^a NO \[UNAVAILABLE\] Too many failed logins/);
    const pop3 = new Wire(connect(ports.pop3, "127.0.0.1"));
    pop3.write(`USER ${login}\r\n`);
    await lineThat(pop3, /^\+OK$/);
    pop3.write("PASS wrong\r\n");
    assert.match(await lineThat(pop3, /^-ERR/), /^-ERR \[SYS\/TEMP\] Too many failed logins/);
    const smtp = new Wire(connect(ports.smtp, "127.0.0.1"));
    smtp.write("EHLO client.example.test\r\n");
    await lineThat(smtp, /^250 /);
    smtp.write(`AUTH PLAIN ${btoa(`\0${login}\0wrong`)}\r\n`);
    assert.match(await lineThat(smtp, /^[45]/), /^454 4\.7\.0 Too many failed logins/);
  });

  test("imapflow reports a wrong password as a failed login", async () => {
    await assert.rejects(imapflow(service(), "with TLS", wrong), { authenticationFailed: true });
  });
}

/** Uses up the failed logins of an account, by lookups, since the proxy would delay each. */
async function exhaust({ worker }: Service, login: string): Promise<void> {
  for (let n = 1; n <= 10; n++) {
    const headers = { ...ALICE, "X-Auth-Key": "development", "Auth-User": login };
    await fetch(`${worker.url}/auth`, {
      headers: { ...headers, "Auth-Pass": "wrong", "Client-IP": `192.0.2.${n}` },
    });
  }
}

async function lineThat(wire: Wire, pattern: RegExp): Promise<string> {
  for (;;) {
    const line = await wire.line();
    if (pattern.test(line)) return line;
  }
}
