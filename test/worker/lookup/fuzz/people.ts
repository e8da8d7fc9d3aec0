// The directory's users, and their credentials.
import { createHash, createHmac } from "node:crypto";
import type { ByteString } from "../../../../shared/lookup.ts";
import type { Seed } from "../../../support/worker/directory.ts";

export const KEY = "development";

/** A part of each password, so that the log can be searched for it. */
export const CANARY = "pw-canary";

/** Alice's additional credentials: a kept password for digests, and a certificate. */
export const ALICE = {
  address: "alice@example.test",
  secret: `${CANARY}-tanstaaf`,
  issuer: "CN=root",
  subject: "CN=alice,O=Example\\, Inc.",
};

interface Person {
  readonly address: string;
  readonly password: ByteString;
}

export const PEOPLE: readonly Person[] = [
  { address: ALICE.address, password: `${CANARY}-wonderland` },
  { address: "karl.michael@example.test", password: `${CANARY} 50% off: "it's"; --` },
  // UTF-8, as mail programs send it, and Latin-1, as old ones do.
  { address: "maria@example.test", password: Buffer.from(`${CANARY}-März`).toString("latin1") },
  { address: "olaf@example.test", password: `${CANARY}-M\xe4rz` },
  { address: "bare", password: `${CANARY}=` },
];

const server = { group: "mail", imapPort: 143, pop3Port: 110, smtpPort: 587 };

export const DIRECTORY: Seed = {
  groups: [{ name: "mail" }],
  servers: [
    { ...server, name: "m1", host: "192.0.2.7", tls: "starttls", tlsName: "m1.example.test" },
    { ...server, name: "m2", host: "2001:db8::7" },
  ],
  users: PEOPLE.map(({ address, password }) => ({
    address,
    group: "mail",
    passwordHash: cheapHash(password),
  })),
  secrets: [{ user: ALICE.address, purpose: "own", secret: ALICE.secret }],
  certificates: [
    { user: ALICE.address, kind: "subject", value: ALICE.subject, issuer: ALICE.issuer },
  ],
  domains: [
    { name: "example.test", group: "mail" },
    { name: "open.test", group: "mail", recipients: "any" },
    { name: "closed.test", group: "mail", recipients: "none" },
  ],
};

/** RFC 1939 section 7 and RFC 2195 section 2, by the values of `Auth-Method`. */
export const DIGESTS: Readonly<Record<string, (salt: ByteString) => string>> = {
  apop: (salt) => createHash("md5").update(`${salt}${ALICE.secret}`, "latin1").digest("hex"),
  "cram-md5": (salt) => createHmac("md5", ALICE.secret).update(salt, "latin1").digest("hex"),
};

/** A hash that is fast to verify, so that ten thousand lookups take seconds. */
function cheapHash(password: ByteString): string {
  const salt = Buffer.from("salt");
  const digest = createHash("sha512").update(password, "latin1").update(salt).digest();
  return `{SSHA512}${Buffer.concat([digest, salt]).toString("base64")}`;
}
