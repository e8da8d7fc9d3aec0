/** Fills a directory: rows that are there already stay as they are. */
import { createHash } from "node:crypto";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import {
  aliases,
  appPasswords,
  certificates,
  domains,
  groups,
  networks,
  secrets,
  servers,
  users,
} from "../../../worker/directory/schema/index.ts";
import { digestOf } from "../../../worker/directory/secret.ts";
import { readKeys } from "../../../worker/secrets/index.ts";
import { hashPassword } from "./passwords.ts";
import { secret } from "../secrets.ts";

export interface Seed {
  readonly groups?: readonly (typeof groups.$inferInsert)[];
  readonly servers?: readonly (typeof servers.$inferInsert)[];
  readonly users?: readonly NewUser[];
  readonly aliases?: readonly (typeof aliases.$inferInsert)[];
  readonly domains?: readonly (typeof domains.$inferInsert)[];
  readonly networks?: readonly (typeof networks.$inferInsert)[];
  readonly appPasswords?: readonly NewAppPassword[];
  readonly certificates?: readonly (typeof certificates.$inferInsert)[];
  readonly secrets?: readonly NewSecret[];
}

/** A user by their password, or by a hash where the test is about it. */
type NewUser = Omit<typeof users.$inferInsert, "passwordHash"> &
  ({ readonly password: string | Uint8Array } | { readonly passwordHash: string });

/** An app password by what the user types. */
type NewAppPassword = Omit<typeof appPasswords.$inferInsert, "digest" | "created"> & {
  readonly password: string;
};

/** A secret before it is sealed, under the key of `SEALING`. */
type NewSecret = Omit<typeof secrets.$inferInsert, "sealed"> & { readonly secret: string };

/** A group of one server, where it does not matter whither users are sent. */
export const ONE_SERVER = {
  groups: [{ name: "mail" }],
  servers: [
    {
      name: "m1",
      group: "mail",
      host: "192.0.2.7",
      imapPort: 143,
      pop3Port: 110,
      smtpPort: 587,
    },
  ],
} satisfies Seed;

/** `SECRET_KEYS` of a worker under test. */
export const SEALING = `k1:${"A".repeat(43)}=`;

/** Adds what is missing, in an order that satisfies the foreign keys. */
export async function seed(db: DrizzleD1Database, wanted: Seed): Promise<void> {
  for (const group of wanted.groups ?? [])
    await db.insert(groups).values(group).onConflictDoNothing();
  for (const server of wanted.servers ?? [])
    await db.insert(servers).values(server).onConflictDoNothing();
  for (const user of wanted.users ?? [])
    await db.insert(users).values(hashed(user)).onConflictDoNothing();
  for (const alias of wanted.aliases ?? [])
    await db.insert(aliases).values(alias).onConflictDoNothing();
  for (const domain of wanted.domains ?? [])
    await db.insert(domains).values(domain).onConflictDoNothing();
  for (const network of wanted.networks ?? [])
    await db.insert(networks).values(network).onConflictDoNothing();
  for (const { password, ...row } of wanted.appPasswords ?? []) {
    const made = { digest: await digestOf(secret(password)), created: new Date() };
    await db.insert(appPasswords).values({ ...row, ...made });
  }
  for (const certificate of wanted.certificates ?? [])
    await db.insert(certificates).values(certificate);
  for (const { secret: plain, ...row } of wanted.secrets ?? []) {
    const sealed = await readKeys(SEALING)!.seal(secret(plain), row);
    await db.insert(secrets).values({ ...row, sealed });
  }
}

/** A seeded user's id, which is the same in all databases, as in a primary and its replica. */
export function idOf(address: string): string {
  return createHash("sha256").update(address).digest().subarray(0, 16).toString("base64url");
}

function hashed(user: NewUser): typeof users.$inferInsert {
  const id = idOf(user.address);
  if ("passwordHash" in user) return { id, ...user };
  const { password, ...rest } = user;
  const row = { id, ...rest };
  const bytes =
    typeof password === "string" ? new TextEncoder().encode(secret(password)) : password;
  return { ...row, passwordHash: hashPassword(bytes) };
}
