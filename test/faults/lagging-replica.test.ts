// A proxy and the worker, whose nearest replica of the directory lacks every change: a revoked login does not come back.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eq } from "drizzle-orm";
import { adminTokens, users } from "../../worker/directory/schema/index.ts";
import { digestOf, newSecret } from "../../worker/directory/secret.ts";
import { seed } from "../support/worker/directory.ts";
import { PRESENCE, TestLine } from "../support/peers/line.ts";
import type { Listener } from "../support/peers/mailbox/listener.ts";
import { attempt, granted, greeted, untilClosed } from "../support/peers/mail-client.ts";
import { CHEAP_HASH, hashPassword } from "../support/worker/passwords.ts";
import { type Replicated, startReplicated } from "../support/worker/replica/index.ts";
import { type Scratch, makeScratch } from "../support/programs/scratch.ts";
import { type Servers, startServers } from "../support/programs/servers.ts";
import { grantImap, startUpstream } from "../support/peers/upstream.ts";

const refused = /^a NO \[AUTHENTICATIONFAILED\] /;
const token = newSecret();

let upstream: Listener;
let worker: Replicated;
let scratch: Scratch;
let proxy: Servers<"imap">;
/** A proxy that hears of no revocation. */
let alone: Servers<"imap">;

before(async () => {
  upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    for (;;) wire.write(`${await wire.line()}\r\n`);
  });
  worker = await startReplicated();
  const names = ["alice", "bob", "carol", "dave"];
  for (const db of [worker.primary, worker.replica]) {
    await seed(db, {
      groups: [{ name: "mail" }],
      servers: [{ name: "m1", group: "mail", host: "127.0.0.1", imapPort: upstream.port }],
      users: names.map((name) => {
        const address = `${name}@example.test`;
        return { address, group: "mail", server: "m1", passwordHash: CHEAP_HASH };
      }),
    });
  }
  await worker.primary.insert(adminTokens).values({
    name: "one",
    digest: await digestOf(token),
    role: "fleet",
    created: new Date(),
  });
  scratch = await makeScratch();
  await writeFile(join(scratch.path, "fleet.key"), token);
  const lookups = `auth_http ${worker.url.origin}/auth; auth_http_header X-Auth-Key key; auth_http_cache on;`;
  const fleet = `fleet ${worker.url.origin}/fleet key=${scratch.path}/fleet.key;`;
  const servers = { imap: "listen 127.0.0.1:PORT; protocol imap;" };
  proxy = await startServers(lookups + fleet, servers);
  alone = await startServers(lookups, servers);
});
after(async () => {
  await Promise.all([proxy.stop(), alone.stop()]);
  await worker.close();
  await upstream.close();
  await scratch.remove();
});

async function answerTo(user: string, password: string, { ports } = proxy) {
  const wire = await greeted("imap", ports.imap);
  const login = `${user}@example.test`;
  return { wire, answer: await attempt("imap", wire, { login, password }) };
}

/** Makes the fleet collect what the database has noted, as any proxy's presence does. */
async function presence(): Promise<void> {
  const line = await TestLine.open(worker.url.origin, token);
  line.say(PRESENCE);
  while ((await line.next())["kind"] !== "heard");
  await line.close();
}

for (const [user, what, change, answer] of [
  [
    "alice",
    "has a new password",
    { passwordHash: hashPassword(new TextEncoder().encode("rabbit-hole")) },
    granted.imap,
  ],
  ["bob", "is disabled", { enabled: false }, refused],
  ["carol", "is deleted", null, refused],
] as const) {
  test(`a user who ${what} is logged out, and the old password is refused although the replica knows no other`, async () => {
    const session = await answerTo(user, "wonderland");
    assert.match(session.answer, granted.imap);
    const isUser = eq(users.address, `${user}@example.test`);
    const { primary } = worker;
    await (change === null
      ? primary.delete(users).where(isUser)
      : primary.update(users).set(change).where(isUser));
    await presence();
    assert.deepEqual(await untilClosed(session.wire), []);
    const old = await answerTo(user, "wonderland");
    assert.match(old.answer, refused);
    old.wire.end();
    const renewed = await answerTo(user, "rabbit-hole");
    assert.match(renewed.answer, answer);
    renewed.wire.end();
  });
}

test("a proxy without a fleet lets a disabled user in for as long as the replica lags", async () => {
  const isDave = eq(users.address, "dave@example.test");
  await worker.primary.update(users).set({ enabled: false }).where(isDave);
  const { wire, answer } = await answerTo("dave", "wonderland", alone);
  assert.match(answer, granted.imap);
  wire.end();
});
