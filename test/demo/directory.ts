// The worker of the demo. Its directory holds the two users and their mail servers.
import { eq } from "drizzle-orm";
import { adminTokens, servers } from "../../worker/directory/schema/index.ts";
import { digestOf } from "../../worker/directory/secret.ts";
import { seed } from "../support/worker/directory.ts";
import { startWorker } from "../support/worker/worker.ts";
import { adminToken, alice, bob } from "./accounts.ts";
import { host, type DemoPorts } from "./ports.ts";

const group = "demo";

export async function startDirectory(ports: DemoPorts, state: string): Promise<AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const worker = await startWorker({ port: ports.worker.http, persist: state, ownSignals: true });
  started.defer(() => worker.dispose());

  const homes = (["mail1", "mail2"] as const).map((name) => {
    const { imap: imapPort, pop3: pop3Port, smtp: smtpPort } = ports[name];
    return { name, group, host, imapPort, pop3Port, smtpPort };
  });
  const users = [alice, bob].map((person) => ({ ...person, group }));
  await seed(worker.db, { groups: [{ name: group }], servers: homes, users });
  // Rows of an earlier start stay as they are, except for the ports, which `--port-shift` may have moved.
  for (const home of homes) {
    await worker.db.update(servers).set(home).where(eq(servers.name, home.name));
  }
  const token = { name: "development", role: "admin", created: new Date() } as const;
  const digest = await digestOf(adminToken);
  await worker.db
    .insert(adminTokens)
    .values({ ...token, digest })
    .onConflictDoNothing();
  return started.move();
}
