// Small mail servers for the demo and the tests: IMAP, POP3 and submission over inboxes in memory.
import { randomUUID } from "node:crypto";
import { secret } from "../../secrets.ts";
import { serveImap } from "./imap/index.ts";
import { Listener } from "./listener.ts";
import { servePop3 } from "./pop3.ts";
import { serveSmtp } from "./smtp.ts";
import { Store, type Delivery, type User } from "./store.ts";

export type { Listener } from "./listener.ts";
export type { Delivery } from "./store.ts";

export type Mailbox = {
  readonly name: string;
  readonly imap: Listener;
  readonly pop3: Listener;
  readonly smtp: Listener;
  readonly store: Store;
  close(): Promise<void>;
};

export type MailboxOptions = {
  name: string;
  host?: string;
  /** A port of 0, or none, is a free one. */
  ports?: { imap?: number; pop3?: number; smtp?: number };
  users: readonly User[];
  /** Give the same to several servers, and mail sent through one arrives at the others. */
  delivery?: Delivery;
};

export async function startMailbox(options: MailboxOptions): Promise<Mailbox> {
  const { name, host = "127.0.0.1", ports = {}, users, delivery = new Map() } = options;
  const store = new Store(users, delivery);
  for (const { address, password } of users) {
    secret(password);
    store.inbox(address).deliver(welcome(name, address));
  }

  const imap = new Listener(host);
  serveImap(imap, name, store);
  const pop3 = new Listener(host);
  servePop3(pop3, name, store);
  const smtp = new Listener(host);
  serveSmtp(smtp, name, store, delivery);
  const close = async () => void (await Promise.all([imap.close(), pop3.close(), smtp.close()]));
  try {
    await Promise.all([
      imap.listen(ports.imap ?? 0),
      pop3.listen(ports.pop3 ?? 0),
      smtp.listen(ports.smtp ?? 0),
    ]);
  } catch (error) {
    await close();
    throw error;
  }
  return { name, imap, pop3, smtp, store, close };
}

function welcome(name: string, address: string): string {
  return [
    `From: ${name} <postmaster@${name}.example.test>`,
    `To: <${address}>`,
    `Subject: Welcome to ${name}`,
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${randomUUID()}@${name}.example.test>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    `Hello ${address},`,
    "",
    `your mailbox lives on ${name}; Postern brought you here.`,
    "",
  ].join("\n");
}
