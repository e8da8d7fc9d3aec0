/** The resources of users: users, aliases, app passwords and certificates. */
import { z } from "@hono/zod-openapi";
import { eq, sql } from "drizzle-orm";
import {
  aliases,
  appPasswords,
  certificates,
  domains,
  users,
} from "../../directory/schema/index.ts";
import { digestOf, newSecret } from "../../directory/secret.ts";
import { newUserId } from "../../directory/user-id.ts";
import { ApiError } from "../http/api-error.ts";
import { createInsertSchema, createSelectSchema, Name, Time } from "../http/fields.ts";
import * as normalize from "../rows/normalize.ts";
import { Password, storedPassword } from "../rows/password.ts";
import type { Resource, Row, WriteContext } from "../rows/resource.ts";

export const newUser = createInsertSchema(users, {
  address: Name,
  group: Name.optional().openapi({ description: "The group of the address's domain, if left out" }),
  server: Name.nullish().openapi({
    description:
      "The server of the mailbox; if left out, it is chosen at the first login. `users move` changes it",
  }),
  upstreamLogin: Name.nullish(),
})
  .omit({ passwordHash: true, id: true, version: true })
  .extend(Password.shape)
  .strict();

export const userRows: Resource = {
  path: "users",
  name: "user",
  table: users,
  key: ["address"],
  filters: ["group", "server"],
  shown: createSelectSchema(users).omit({ passwordHash: true, id: true, version: true }),
  create: newUser,
  // The server and the password have actions of their own.
  change: newUser
    .omit({ address: true, server: true, password: true, passwordHash: true })
    .partial(),
  writer: "admin",
  normalize: { address: normalize.address },
  complete: completeUser,
};

async function completeUser(given: Row, { settings, directory }: WriteContext) {
  const { password, passwordHash, ...row } = newUser.parse(given);
  const stored = storedPassword({ password, passwordHash }, settings);
  const group = row.group ?? (await groupOf(directory, row.address));
  // The lookup prefers the user, so an alias of the same address would have no effect.
  const [shadowed] = await directory.select().from(aliases).where(eq(aliases.address, row.address));
  if (shadowed !== undefined) {
    throw new ApiError(409, `${row.address} is an alias of ${shadowed.user}; delete that first`);
  }
  return { row: { ...row, id: newUserId(), group, passwordHash: stored } };
}

async function groupOf(directory: WriteContext["directory"], address: string): Promise<string> {
  const name = address.slice(address.lastIndexOf("@") + 1);
  const [domain] = await directory.select().from(domains).where(eq(domains.name, name));
  if (domain === undefined)
    throw new ApiError(400, `give a group, because the domain of ${address} has none`);
  return domain.group;
}

const aliasRows: Resource = {
  path: "aliases",
  name: "alias",
  table: aliases,
  key: ["address"],
  filters: ["user"],
  shown: createSelectSchema(aliases),
  create: createInsertSchema(aliases, { address: Name, user: Name }).strict(),
  change: createInsertSchema(aliases, { user: Name }).omit({ address: true }).partial().strict(),
  writer: "admin",
  normalize: { address: normalize.address, user: normalize.address },
  async complete(row, { directory }) {
    const own = eq(users.address, sql`${row["address"]}`);
    const [user] = await directory.select({ address: users.address }).from(users).where(own);
    if (user === undefined) return { row };
    throw new ApiError(409, `${user.address} is a user's own address`);
  },
};

const newAppPassword = createInsertSchema(appPasswords, {
  user: Name,
  label: Name,
  expires: Time.nullish(),
})
  .omit({ digest: true, created: true, lastUsed: true })
  .strict();

const appPasswordRows: Resource = {
  path: "app-passwords",
  name: "app password",
  table: appPasswords,
  key: ["user", "label"],
  filters: ["user"],
  shown: createSelectSchema(appPasswords).omit({ digest: true }),
  create: newAppPassword,
  change: newAppPassword.omit({ user: true, label: true }).partial(),
  writer: "support",
  normalize: { user: normalize.address },
  once: z.object({ password: z.string() }),
  async complete(row) {
    const password = newSecret();
    const made = { digest: await digestOf(password), created: new Date() };
    return { row: { ...row, ...made }, once: { password } };
  },
};

const newCertificate = createInsertSchema(certificates, {
  user: Name,
  value: Name,
  issuer: Name.optional().openapi({ description: "For a subject: the issuer of the certificate" }),
}).strict();

const certificateRows: Resource = {
  path: "certificates",
  name: "certificate",
  table: certificates,
  key: ["user", "kind", "value"],
  filters: ["user"],
  shown: createSelectSchema(certificates),
  create: newCertificate,
  // For a subject from before issuers were kept, and for an authority that changes its name.
  change: newCertificate.pick({ issuer: true }),
  writer: "admin",
  normalize: { user: normalize.address },
  complete: (row) => {
    requireIssuer(row["kind"], row["issuer"]);
    return { row };
  },
  alter: (changes, [, kind]) => {
    if ("issuer" in changes) requireIssuer(kind, changes["issuer"]);
    return changes;
  },
};

function requireIssuer(kind: unknown, issuer: unknown): void {
  if (kind === "subject" && typeof issuer !== "string") {
    throw new ApiError(400, "issuer: give the certificate's issuer, as in `Auth-SSL-Issuer`");
  }
  if (kind !== "subject" && typeof issuer === "string") {
    throw new ApiError(400, "issuer: a fingerprint has none, because it names one certificate");
  }
}

export const userResources = [userRows, aliasRows, appPasswordRows, certificateRows];
