// Starts a mail service as an operator would run it: a proxy, our worker, Dovecot and Postfix.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { seed } from "../support/worker/directory.ts";
import { eventually } from "../support/eventually.ts";
import {
  freeMailPorts,
  mailConfig,
  startDovecot,
  startPostfix,
  type Dovecot,
  type MailPorts,
  type MailProxy,
  type Postfix,
} from "../support/real-servers/index.ts";
import { startWorker, type RunningWorker } from "../support/worker/worker.ts";

export const alice = { address: "alice@example.test", password: "wonderland" };
export const bob = { address: "bob@example.test", password: "builder" };
/** Characters that mean something in IMAP, in a header line, in a URL, or outside ASCII. */
export const carol = { address: "carol@example.test", password: 'c "a%41\\r{3}\u00f6l €+' };
const accounts = [alice, bob, carol];

export type Service = AsyncDisposable & {
  readonly ports: MailPorts;
  readonly worker: RunningWorker;
  readonly dovecot: Dovecot;
  readonly proxy: MailProxy;
  /** The file of the certificate that the proxy shows. */
  readonly certificate: string;
};

export async function startService(
  startProxy: (config: string) => Promise<MailProxy>,
): Promise<Service> {
  await using started = new AsyncDisposableStack();
  const dovecot = await startDovecot(accounts);
  started.defer(() => dovecot.stop());
  const postfix = await startPostfix(dovecot, accounts);
  started.defer(() => postfix.stop());
  const worker = await startWorker();
  started.defer(() => worker.dispose());
  await seed(worker.db, {
    groups: [{ name: "real" }],
    servers: [serverOf(dovecot, postfix)],
    users: accounts.map((account) => ({ ...account, group: "real" })),
  });
  const ports = await freeMailPorts();
  const proxy = await startProxy(mailConfig(ports, `${worker.url}/auth`));
  started.defer(() => proxy.stop());
  const running = started.move();
  return {
    ports,
    worker,
    dovecot,
    proxy,
    certificate: join(proxy.directory, "certificate.pem"),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Dovecot and Postfix as one server of the group `real`. */
export function serverOf(dovecot: Dovecot, postfix: Postfix) {
  return {
    name: "debian",
    group: "real",
    host: "127.0.0.1",
    imapPort: dovecot.imap,
    pop3Port: dovecot.pop3,
    smtpPort: postfix.smtp,
  };
}

/** Waits until a message with this text is in the user's maildir. */
export async function arrival(
  { dovecot }: Service,
  address: string,
  text: string,
): Promise<string> {
  const maildir = join(dovecot.mail, address, "Maildir");
  return eventually(`"${text}" arrives in ${maildir}`, async () => {
    for (const folder of ["new", "cur"]) {
      const names = await readdir(join(maildir, folder)).catch(() => []);
      for (const name of names) {
        // A mail program may move a message from new to cur at any time.
        const message = await readFile(join(maildir, folder, name), "latin1").catch(() => "");
        if (message.includes(text)) return message;
      }
    }
    return null;
  });
}
