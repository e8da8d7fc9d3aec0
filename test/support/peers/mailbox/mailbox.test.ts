// The demo mail servers, as mail programs use them.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import { Wire } from "../wire.ts";
import { startMailbox, type Delivery, type Listener, type Mailbox } from "./index.ts";

const alice = { address: "alice@example.test", password: "wonderland" };
const bob = { address: "bob@example.test", password: 'b "u\\ilder ü' };

let mail1: Mailbox;
let mail2: Mailbox;
before(async () => {
  const delivery: Delivery = new Map();
  mail1 = await startMailbox({ name: "mail1", users: [alice], delivery });
  mail2 = await startMailbox({ name: "mail2", users: [bob], delivery });
});
after(async () => {
  await mail1.close();
  await mail2.close();
});

type Mail = {
  to: string;
  subject: string;
  text: string;
  html?: string;
  attachments?: { filename: string; content: string }[];
};

async function submit(mail: Mail): Promise<void> {
  const auth = { user: alice.address, pass: alice.password };
  const { host, port } = mail1.smtp;
  const transport = createTransport({ host, port, ignoreTLS: true, auth });
  await transport.sendMail({ from: alice.address, ...mail });
  transport.close();
}

async function imapflow(): Promise<ImapFlow> {
  const auth = { user: bob.address, pass: bob.password };
  const { host, port } = mail2.imap;
  const client = new ImapFlow({
    host,
    port,
    secure: false,
    doSTARTTLS: false,
    auth,
    logger: false,
  });
  await client.connect();
  return client;
}

/** Says each line once the one before it is answered, to its `end`; returns the last answer. */
async function dialogue(
  { host, port }: Listener,
  lines: readonly string[],
  end: RegExp,
  lastEnd = end,
): Promise<string> {
  const wire = new Wire(connect(port, host));
  await wire.line();
  let answer = "";
  for (const [index, line] of lines.entries()) {
    wire.write(`${line}\r\n`);
    answer = "";
    const complete = index === lines.length - 1 ? lastEnd : end;
    while (!complete.test(answer)) answer += `${await wire.line()}\n`;
  }
  wire.end();
  return answer;
}

test("each user is welcomed by their own server", () => {
  assert.match(
    mail1.store.inbox(alice.address).messages[0]!.content,
    /^Subject: Welcome to mail1/m,
  );
  assert.match(mail2.store.inbox(bob.address).messages[0]!.content, /^Subject: Welcome to mail2/m);
});

test("mail submitted to one server arrives at the other, and is read part by part", async () => {
  const attachments = [{ filename: "note.txt", content: "attached" }];
  await submit({
    to: bob.address,
    subject: "Grüße",
    text: "plain",
    html: "<b>rich</b>",
    attachments,
  });
  const client = await imapflow();
  const lock = await client.getMailboxLock("INBOX");
  const [uid] = (await client.search({ text: "note.txt" }, { uid: true })) || [];
  const message = await client.fetchOne(
    `${uid}`,
    { envelope: true, bodyStructure: true },
    { uid: true },
  );
  assert.ok(message);
  assert.equal(message.envelope?.subject, "Grüße");
  assert.equal(
    message.bodyStructure?.childNodes?.[1]?.dispositionParameters?.["filename"],
    "note.txt",
  );
  const rich = await client.download(`${uid}`, "1.2", { uid: true });
  assert.equal((await rich.content?.toArray())?.join(""), "<b>rich</b>");
  lock.release();
  await client.logout();
});

test("a client that idles hears of new mail", async () => {
  const client = await imapflow();
  await client.mailboxOpen("INBOX");
  const news = new Promise((resolve) => client.once("exists", resolve));
  const idle = client.idle();
  await submit({ to: bob.address, subject: "News", text: "at once" });
  await news;
  await client.logout();
  await idle;
});

test("an IMAP login may use atoms, quoted strings and literals of both kinds", async () => {
  const quoted = '"b \\"u\\\\ilder \u00c3\u00bc"';
  const bytes = Buffer.from(bob.password);
  const literal = bytes.toString("latin1");
  const logins = [
    [`a LOGIN ${bob.address} ${quoted}`],
    [`a LOGIN {${bob.address.length}}`, `${bob.address} {${bytes.length}}`, literal],
    [`a LOGIN {${bob.address.length}+}\r\n${bob.address} {${bytes.length}+}\r\n${literal}`],
    [`a AUTHENTICATE PLAIN ${Buffer.from(`\0${bob.address}\0${bob.password}`).toString("base64")}`],
  ];
  for (const lines of logins) {
    assert.match(await dialogue(mail2.imap, lines, /^(\+|a) .*/m), /^a OK /);
  }
});

test("POP3 lists, retrieves with dots stuffed, and deletes at QUIT", async () => {
  await submit({ to: alice.address, subject: "Dots", text: ".one\n..two" });
  const login = [`USER ${alice.address}`, `PASS ${alice.password}`];
  const line = /\n$/;
  const list = /^\.$/m;
  const { pop3 } = mail1;
  const retrieved = await dialogue(pop3, [...login, "RETR 2"], line, list);
  assert.match(retrieved, /^\.\.one\n\.\.\.two$/m);
  assert.match(await dialogue(pop3, [...login, "UIDL"], line, list), /^2 \d+\.2$/m);
  assert.match(await dialogue(pop3, [...login, "STAT"], line), /^\+OK 2 \d+$/m);
  await dialogue(pop3, [...login, "DELE 2", "QUIT"], line);
  assert.equal(mail1.store.inbox(alice.address).messages.length, 1);
});

test("mail to an unknown address is refused", async () => {
  const unknown = { to: "nobody@example.test", subject: "x", text: "x" };
  await assert.rejects(submit(unknown), { responseCode: 550 });
});

test("a wrong password is refused in each protocol's own words", async () => {
  const imap = await dialogue(mail2.imap, [`a LOGIN ${bob.address} wrong`], /^a /m);
  assert.match(imap, /^a NO \[AUTHENTICATIONFAILED\]/);
  const pop3 = await dialogue(mail2.pop3, [`USER ${bob.address}`, "PASS wrong"], /\n$/);
  assert.match(pop3, /^-ERR \[AUTH\]/);
  const token = Buffer.from(`\0${bob.address}\0wrong`).toString("base64");
  const smtp = await dialogue(mail2.smtp, ["EHLO me", `AUTH PLAIN ${token}`], /^\d+ .*\n$/m);
  assert.match(smtp, /^535 5\.7\.8/);
});
