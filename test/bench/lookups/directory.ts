// Starts a worker whose directory holds a given number of users. The first few have passwords that are known.
import { sql } from "drizzle-orm";
import { seed } from "../../support/worker/directory.ts";
import { hashPassword } from "../../support/worker/passwords.ts";
import { type RunningWorker, startWorker } from "../../support/worker/worker.ts";

export const PASSWORD = "correct horse battery staple";

/** Users whose password is known. */
export const KNOWN = 10;

/** Users that are inserted by one statement. */
const BATCH = 50_000;

/** No user is blocked, however many guesses the benchmark makes. */
const NO_LIMITS = { FAILURES_PER_ACCOUNT: "999999999", FAILURES_PER_NETWORK: "999999999" };

/** The hash of an unknown password, of today's cost. The salt is each user's own. */
const FILLER = `'$argon2id$v=19$m=19456,t=2,p=1$' || printf('%08d', i) || '${"A".repeat(14)}$${"A".repeat(43)}'`;

/** The addresses of users, all of one length. */
export function userAddress(index: number): string {
  return `user${String(index).padStart(8, "0")}@d${index % 10}.example.test`;
}

export async function startDirectory(users: number): Promise<RunningWorker> {
  const worker = await startWorker({ vars: NO_LIMITS });
  const domains = Array.from({ length: 10 }, (_, n) => ({
    name: `d${n}.example.test`,
    group: "mail",
  }));
  await seed(worker.db, {
    groups: [{ name: "mail" }],
    servers: [{ name: "m1", group: "mail", host: "192.0.2.7", imapPort: 143, smtpPort: 25 }],
    domains,
  });
  for (let from = 0; from < users; from += BATCH) {
    const last = Math.min(from + BATCH, users) - 1;
    await worker.db.run(sql`
      with recursive n(i) as (select ${from} union all select i + 1 from n where i < ${last})
      insert into users (address, password_hash, "group", server)
      select printf('user%08d@d%d.example.test', i, i % 10), ${sql.raw(FILLER)}, 'mail', 'm1' from n`);
  }
  return worker;
}

/** Gives the known users their password anew with another salt, so that no hash has been verified before. */
export async function renewPasswords({ db }: RunningWorker): Promise<void> {
  for (let index = 0; index < KNOWN; index += 1) {
    const hash = hashPassword(new TextEncoder().encode(PASSWORD));
    const address = userAddress(index);
    await db.run(sql`update users set password_hash = ${hash} where address = ${address}`);
  }
}
