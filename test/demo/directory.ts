// The worker of the demo, with its people and mail servers in the directory.
import { eq } from "drizzle-orm";
import { servers } from "../../worker/directory/schema/index.ts";
import { seed } from "../support/directory.ts";
import { startWorker } from "../support/worker.ts";
import { alice, bob } from "./accounts.ts";
import { host, type Places } from "./addresses.ts";

const group = "demo";

export async function startDirectory(where: Places, state: string): Promise<AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const worker = await startWorker({ port: where.worker.http, persist: state, ownSignals: true });
  started.defer(() => worker.dispose());

  const homes = (["mail1", "mail2"] as const).map((name) => {
    const { imap: imapPort, pop3: pop3Port, smtp: smtpPort } = where[name];
    return { name, group, host, imapPort, pop3Port, smtpPort };
  });
  const users = [alice, bob].map((person) => ({ ...person, group }));
  await seed(worker.db, { groups: [{ name: group }], servers: homes, users });
  // What is there from an earlier start stays, except that the ports may have moved since.
  for (const home of homes) {
    await worker.db.update(servers).set(home).where(eq(servers.name, home.name));
  }
  return started.move();
}
