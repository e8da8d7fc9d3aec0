// Two proxies, the worker and a mail server: a user who is disabled is logged out on all proxies.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Admin, startAdmin } from "../support/worker/admin.ts";
import { eventually } from "../support/eventually.ts";
import { Listener } from "../support/peers/mailbox/listener.ts";
import { attempt, granted, greeted, untilClosed } from "../support/peers/mail-client.ts";
import { makeScratch } from "../support/programs/scratch.ts";
import { type Servers, startServers } from "../support/programs/servers.ts";
import { grantImap, startUpstream } from "../support/peers/upstream.ts";
import type { Wire } from "../support/peers/wire.ts";

const password = "wonderland";
/** A hash of `password` that is cheap to verify. */
const passwordHash = "$argon2id$v=19$m=1024,t=1,p=4$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g";

const userNames = ["alice", "bob", "carol", "dave"];

let upstream: Listener;
let worker: Admin;
let scratch: Awaited<ReturnType<typeof makeScratch>>;
/** Relays the second proxy to the worker, and can be closed. */
let relay: Listener;
let one: Servers<"imap">;
let two: Servers<"imap">;

before(async () => {
  upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    for (;;) wire.write(`${await wire.line()}\r\n`);
  });
  const mail = { name: "mail", policy: "first", storage: "shared" } as const;
  worker = await startAdmin({
    seed: {
      groups: [mail],
      servers: [{ name: "m1", group: "mail", host: "127.0.0.1", imapPort: upstream.port }],
      users: userNames.map((name) => {
        return { address: `${name}@example.test`, group: "mail", passwordHash };
      }),
    },
  });
  relay = new Listener("127.0.0.1");
  relay.on("connection", (socket) => {
    const onward = connect(Number(worker.url.port), worker.url.hostname);
    onward.on("error", () => {}).on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await relay.listen(0);
  scratch = await makeScratch();
  one = await startProxy("one", worker.url.origin);
  two = await startProxy("two", `http://127.0.0.1:${relay.port}`);
  await connected("one", "two");
});
after(async () => {
  await Promise.all([one.stop(), two.stop()]);
  await relay.close();
  await worker.close();
  await upstream.close();
  await scratch.remove();
});

const keyFile = (name: string) => join(scratch.path, `${name}.key`);

async function writeKey(name: string): Promise<void> {
  const { body } = await worker.call("admin", "POST", "/tokens", { name, role: "fleet" });
  await writeFile(keyFile(name), body.token);
}

/** @param fleet origin of `fleet`, which may differ from that of `auth_http` */
async function startProxy(name: string, fleet: string): Promise<Servers<"imap">> {
  await writeKey(name);
  return startProxyWithKey(name, fleet);
}

function startProxyWithKey(name: string, fleet: string): Promise<Servers<"imap">> {
  return startServers(
    `auth_http ${worker.url.origin}/auth; auth_http_header X-Auth-Key key; auth_http_cache on;
     fleet ${fleet}/fleet key=${keyFile(name)};`,
    { imap: "listen 127.0.0.1:PORT; protocol imap;" },
    "worker_processes 2;",
  );
}

/** Waits until exactly these proxies are connected to the worker. */
async function connected(...names: readonly string[]): Promise<void> {
  const list = async () => (await worker.call("read", "GET", "/proxies")).body.items;
  const now = async () => (await list()).map(({ name }: { name: string }) => name).join(" ");
  await eventually(`the proxies ${names.join(" ")} are connected`, async () => {
    return (await now()) === names.join(" ");
  });
}

async function logIn({ ports }: Servers<"imap">, user: string): Promise<Wire> {
  const wire = await greeted("imap", ports.imap);
  const login = `${user}@example.test`;
  assert.match(await attempt("imap", wire, { login, password }), granted.imap);
  return wire;
}

async function goesOn(wire: Wire): Promise<void> {
  wire.write("n NOOP\r\n");
  assert.equal(await wire.line(), "n NOOP");
}

async function disable(user: string): Promise<void> {
  const at = `/users/${user}@example.test`;
  const { status } = await worker.call("admin", "PATCH", at, { enabled: false });
  assert.equal(status, 200);
}

test("a user who is disabled is logged out on all proxies, and no cached lookup lets the user in; others stay", async () => {
  const alices = [await logIn(one, "alice"), await logIn(one, "alice"), await logIn(two, "ALICE")];
  const bobs = [await logIn(one, "bob"), await logIn(two, "bob")];
  await disable("alice");
  for (const wire of alices) assert.deepEqual(await untilClosed(wire), []);
  for (const { ports, proxy } of [one, two]) {
    await proxy.program.logs(/\[notice\].* kicked "alice@example.test", sessions ended: [12]$/);
    const wire = await greeted("imap", ports.imap);
    const login = "alice@example.test";
    assert.match(
      await attempt("imap", wire, { login, password }),
      /^a NO \[AUTHENTICATIONFAILED\]/,
    );
    wire.end();
  }
  for (const wire of bobs) {
    await goesOn(wire);
    wire.end();
  }
});

test("a proxy that loses the worker serves on, and ends the sessions of disabled users when it is back", async () => {
  const [there, away, other] = [
    await logIn(one, "carol"),
    await logIn(two, "carol"),
    await logIn(two, "dave"),
  ];
  await relay.close();
  await disable("carol");
  assert.deepEqual(await untilClosed(there), []);
  await goesOn(away);
  await relay.listen(relay.port);
  assert.deepEqual(await untilClosed(away), []);
  await connected("one", "two");
  await goesOn(other);
  other.end();
});

test("a proxy whose key is refused logs that once and serves on; with another key, a reload connects it", async () => {
  await writeFile(keyFile("three"), "postern_wrong\n");
  const three = await startProxyWithKey("three", worker.url.origin);
  try {
    const { program } = three.proxy;
    const refused =
      /\[alert\].* fleet connection failed: \S+ answered 401 \(check the key in "fleet"\), cached lookups are not used$/;
    await program.logs(refused);
    const dave = await logIn(three, "dave");
    await writeKey("three");
    program.signal("SIGHUP");
    await connected("one", "three", "two");
    await goesOn(dave);
    const kicked = await worker.call("support", "POST", "/users/dave@example.test/kick");
    assert.equal(kicked.status, 204);
    assert.deepEqual(await untilClosed(dave), []);
    assert.equal((await program.logs(refused)).length, 1);
    assert.doesNotMatch(program.stderr, /postern_wrong/);
  } finally {
    await three.stop();
  }
});
