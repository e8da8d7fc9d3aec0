// Two proxies, the worker and two mail servers: lookups name the servers on which the proxies agree.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { adminTokens, serverHealth } from "../../worker/directory/schema/index.ts";
import { digestOf } from "../../worker/directory/secret.ts";
import { eventually } from "../support/eventually.ts";
import { type Harness, startHarness } from "../support/worker/harness.ts";
import type { Listener } from "../support/peers/mailbox/listener.ts";
import { attempt, granted, greeted } from "../support/peers/mail-client.ts";
import { makeScratch } from "../support/programs/scratch.ts";
import { type Servers, startServers } from "../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../support/peers/upstream.ts";

const password = "wonderland";
/** A hash of `password` that is cheap to verify. */
const passwordHash = "$argon2id$v=19$m=1024,t=1,p=4$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g";
const ALICE = "alice@example.test";
const PINNED = "pinned@example.test";

let main: Listener;
let spare: Listener;
let worker: Harness;
let scratch: Awaited<ReturnType<typeof makeScratch>>;
let one: Servers<"imap">;
let two: Servers<"imap">;

before(async () => {
  const serve = async (wire: Parameters<typeof grantImap>[0]): Promise<void> => {
    await grantImap(wire);
    await silence();
  };
  main = await startUpstream(serve);
  spare = await startUpstream(serve);
  worker = await startHarness({
    seed: {
      groups: [{ name: "mail", policy: "first", storage: "shared" }],
      servers: [
        { name: "main", group: "mail", host: "127.0.0.1", imapPort: main.port, position: 1 },
        { name: "spare", group: "mail", host: "127.0.0.1", imapPort: spare.port, position: 2 },
      ],
      users: [
        { address: ALICE, group: "mail", passwordHash },
        { address: PINNED, group: "mail", server: "main", passwordHash },
      ],
    },
  });
  scratch = await makeScratch();
  [one, two] = await Promise.all([startProxy("one"), startProxy("two")]);
  await eventually(
    "the votes count",
    async () => (await worker.fleet.exec("select * from proxies")).length === 2,
  );
});
after(async () => {
  await Promise.all([one.stop(), two.stop()]);
  await worker.close();
  await main.close();
  await spare.close();
  await scratch.remove();
});

async function startProxy(name: string): Promise<Servers<"imap">> {
  const key = `postern_${name}`;
  const digest = await digestOf(key);
  await worker.db.insert(adminTokens).values({ name, digest, role: "fleet", created: new Date() });
  await writeFile(join(scratch.path, `${name}.key`), key);
  const { origin } = worker.url;
  return startServers(
    `auth_http ${origin}/auth; auth_http_header X-Auth-Key key; fail_timeout 100ms;
     fleet ${origin}/fleet key=${scratch.path}/${name}.key;`,
    { imap: "listen 127.0.0.1:PORT; protocol imap;" },
  );
}

/** Logs in at either server. */
async function logIn({ ports }: Servers<"imap">, login = ALICE): Promise<void> {
  const wire = await greeted("imap", ports.imap);
  assert.match(await attempt("imap", wire, { login, password }), granted.imap);
  wire.end();
}

/** The ports that a lookup names. */
async function named(): Promise<number[]> {
  const { auth } = await worker.ask({ "Auth-Accept": "fallback" });
  const others = auth["auth-fallback"]?.split(", ").map((other) => other.split(":")[1]) ?? [];
  return [auth["auth-port"], ...others].map(Number);
}

const votes = async () => (await worker.fleet.exec("select * from votes")).length;
const avoided = async () => (await worker.db.select().from(serverHealth)).length;

test("a server that is down is no longer named once both proxies have reported it, and is named again once it serves", async () => {
  await logIn(one);
  assert.equal(spare.connections, 0);

  await main.close();
  await logIn(one);
  await eventually("the votes count", async () => (await votes()) === 1);
  assert.deepEqual(await named(), [main.port, spare.port], "one report is not enough");
  await logIn(two);
  await eventually("the votes count", async () => (await avoided()) === 1);
  assert.deepEqual(await named(), [spare.port]);

  await main.listen(main.port);
  const { connections } = main;
  await logIn(one);
  await logIn(two);
  assert.equal(main.connections, connections, "no login goes there");
  // A pinned user is sent there in any case, and the login succeeds.
  await logIn(one, PINNED);
  await logIn(two, PINNED);
  await eventually("the votes count", async () => (await avoided()) === 0);
  assert.deepEqual(await named(), [main.port, spare.port]);
});

test("a server without reports for a minute is tried again", async () => {
  await main.close();
  await logIn(one);
  await logIn(two);
  await eventually("the votes count", async () => (await avoided()) === 1);
  await main.listen(main.port);
  // A minute goes by.
  await worker.fleet.exec("update votes set until = until - 60000");
  await worker.db.update(serverHealth).set({ until: new Date(Date.now() - 1000) });
  const { connections } = main;
  // The proxy itself may avoid the server for a moment.
  await eventually("a login goes there again", async () => {
    await logIn(one);
    return main.connections > connections;
  });
  assert.deepEqual(await named(), [main.port, spare.port]);
});
