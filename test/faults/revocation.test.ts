// A password that was taken away never works again: the proxy with its cache, the worker, and all that may go wrong
// between the two.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { type Admin, startAdmin } from "../support/worker/admin.ts";
import { eventually } from "../support/eventually.ts";
import { type LookupFront, startLookupFront } from "../support/peers/lookup-front.ts";
import { Listener } from "../support/peers/mailbox/listener.ts";
import { granted, greeted, temporary, untilClosed } from "../support/peers/mail-client.ts";
import { type Scratch, makeScratch } from "../support/programs/scratch.ts";
import { secret } from "../support/secrets.ts";
import { type Servers, startServers } from "../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../support/peers/upstream.ts";
import type { Wire } from "../support/peers/wire.ts";

const password = secret("wonderland");
/** A hash of `password` that is cheap to verify. */
const passwordHash = "$argon2id$v=19$m=1024,t=1,p=4$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g";

const refused = /^a NO \[AUTHENTICATIONFAILED\] /;

let upstream: Listener;
/** A mail server that accepts connections and says nothing. */
let silent: Listener;
let worker: Admin;
let front: LookupFront;
/** Carries the line to the fleet. */
let relay: Listener;
let scratch: Scratch;
let proxy: Servers<"imap">;

before(async () => {
  upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    for (;;) wire.write(`${await wire.line()}\r\n`);
  });
  silent = await startUpstream(silence);
  const server = { host: "127.0.0.1", group: "mail" };
  worker = await startAdmin({
    vars: {
      FAILURES_PER_ACCOUNT: "1000",
      FAILURES_PER_USER: "1000",
      FAILURES_PER_NETWORK: "1000",
      FAILURES_PER_IPV4_24: "1000",
      LOOKUP_MAX_AGE: "3600",
    },
    seed: {
      groups: [{ name: "mail", policy: "first", storage: "own" }],
      servers: [
        { ...server, name: "m1", imapPort: upstream.port, position: 1 },
        { ...server, name: "silent", imapPort: silent.port, position: 2 },
      ],
    },
  });
  front = await startLookupFront(worker.url);
  relay = new Listener("127.0.0.1");
  relay.on("connection", (socket) => {
    const onward = connect(Number(worker.url.port), worker.url.hostname);
    onward.on("error", () => {}).on("close", () => socket.destroy());
    socket.on("error", () => {}).on("close", () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await relay.listen(0);
  scratch = await makeScratch();
  const { body } = await worker.call("admin", "POST", "/tokens", { name: "one", role: "fleet" });
  await writeFile(join(scratch.path, "fleet.key"), body.token);
  proxy = await startServers(
    `auth_http ${front.origin}/auth; auth_http_header X-Auth-Key key; auth_http_cache on;
     fleet http://127.0.0.1:${relay.port}/fleet key=${scratch.path}/fleet.key;`,
    { imap: "listen 127.0.0.1:PORT; protocol imap;" },
    "worker_processes 1;",
  );
  await connected();
});
after(async () => {
  await proxy.stop();
  await relay.close();
  await front.close();
  await worker.close();
  await upstream.close();
  await silent.close();
  await scratch.remove();
});
afterEach(() => {
  front.behaviour = "passes";
  front.isAnonymous = false;
});

async function connected(): Promise<void> {
  await eventually("the proxy is connected", async () => {
    const { body } = await worker.call("read", "GET", "/proxies");
    return body.items.length === 1;
  });
}

async function done(method: string, path: string, body?: unknown): Promise<void> {
  const { status, body: said } = await worker.call("admin", method, path, body);
  assert.ok(status >= 200 && status <= 299, `${method} ${path}: ${status} ${JSON.stringify(said)}`);
}

async function add(address: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  await done("POST", "/users", { address, group: "mail", server: "m1", passwordHash, ...more });
  return `/users/${encodeURIComponent(address)}`;
}

/** Sends the login as a literal, which holds any bytes. */
async function login(name: string): Promise<Wire> {
  const wire = await greeted("imap", proxy.ports.imap);
  const bytes = Buffer.from(name).toString("latin1");
  wire.write(`a LOGIN {${bytes.length}+}\r\n${bytes} ${password}\r\n`);
  return wire;
}

/** The answer to a login, whose session then ends. */
async function answer(name: string): Promise<string> {
  const wire = await login(name);
  const line = await wire.line();
  wire.end();
  return line;
}

/** A session of the user that goes on. */
async function session(name: string): Promise<Wire> {
  const wire = await login(name);
  assert.match(await wire.line(), granted.imap);
  return wire;
}

/** Logs in, and shows that the next login does not ask the worker. */
async function remembered(name: string): Promise<Wire> {
  const wire = await session(name);
  const { length } = front.asked;
  assert.match(await answer(name), granted.imap);
  assert.equal(front.asked.length, length);
  return wire;
}

const REVOCATIONS: Readonly<Record<string, (path: string) => Promise<void>>> = {
  "whose password was changed": (path) =>
    done("POST", `${path}/password`, { password: secret("a-new-password") }),
  "who was disabled": (path) => done("PATCH", path, { enabled: false }),
  "who lost the protocol": (path) => done("PATCH", path, { imap: false }),
  "who was deleted": (path) => done("DELETE", path),
  "who was deleted and made again": async (path) => {
    await done("DELETE", path);
    const address = decodeURIComponent(path.slice("/users/".length));
    await add(address, { passwordHash: undefined, password: secret("another-password") });
  },
};
for (const [index, [what, revoke]] of Object.entries(REVOCATIONS).entries()) {
  test(`a user ${what} is logged out, and the old password lets nobody in, whatever becomes of the lookup`, async () => {
    const name = `user${index}@example.test`;
    const path = await add(name);
    const wire = await remembered(name.toUpperCase());
    await remembered(name);
    await revoke(path);
    assert.deepEqual(await untilClosed(wire), []);

    for (const [behaviour, expected] of [
      ["lags", refused],
      ["is away", temporary.imap],
      ["is cut", temporary.imap],
      ["is busy", /^a NO \[UNAVAILABLE\] Busy/],
      ["lags for ever", temporary.imap],
      ["passes", refused],
    ] as const) {
      front.behaviour = behaviour;
      assert.match(await answer(name), expected, behaviour);
    }
  });
}

test("a reply that is older than a revocation is asked for once more with the bookmark of the revocation", async () => {
  const path = await add("bookmark@example.test");
  const wire = await session("bookmark@example.test");
  await done("PATCH", path, { enabled: false });
  await untilClosed(wire);
  front.behaviour = "lags";
  const { length } = front.asked;
  assert.match(await answer("bookmark@example.test"), refused);
  const [first, second, ...more] = front.asked.slice(length);
  assert.equal(first, null);
  assert.match(second!, /^[\x21-\x7e]+$/);
  assert.deepEqual(more, []);
});

test("a 503 with words is never replaced by a remembered answer, and a bare one is, until the user is revoked", async () => {
  const path = await add("words@example.test");
  const wire = await remembered("words@example.test");
  await relay.close();
  // Without a line no answer is used afresh, so that each login asks.
  await eventually("the line is away", async () => {
    const { length } = front.asked;
    assert.match(await answer("words@example.test"), granted.imap);
    return front.asked.length > length;
  });
  front.behaviour = "is away";
  assert.match(await answer("words@example.test"), granted.imap);
  front.behaviour = "is busy";
  assert.match(await answer("words@example.test"), /^a NO \[UNAVAILABLE\] Busy/);
  front.behaviour = "passes";
  assert.match(await answer("words@example.test"), granted.imap);

  await done("PATCH", path, { enabled: false });
  assert.match(await answer("words@example.test"), refused);
  front.behaviour = "is away";
  assert.match(await answer("words@example.test"), temporary.imap);
  front.behaviour = "passes";
  await relay.listen(relay.port);
  assert.deepEqual(await untilClosed(wire), []);
  await connected();
});

test("a proxy whose line was cut uses no answer from before a revocation once the line is back, with an endpoint that is away", async () => {
  const path = await add("cut@example.test");
  const wire = await remembered("cut@example.test");
  await relay.close();
  await done("POST", `${path}/password`, { password: secret("a-new-password") });
  await relay.listen(relay.port);
  assert.deepEqual(await untilClosed(wire), []);
  await connected();
  front.behaviour = "is away";
  assert.match(await answer("cut@example.test"), temporary.imap);
});

for (const [how, restart] of [
  ["a reload", () => proxy.proxy.program.signal("SIGHUP")],
  [
    "the death of the one before",
    async () => {
      const started = await proxy.proxy.program.logs(/start worker process (\d+)/);
      process.kill(Number(started.at(-1)![1]), "SIGKILL");
    },
  ],
] as const) {
  test(`a worker process that starts by ${how} knows the revocations from before`, async () => {
    const name = `start${how.length}@example.test`;
    const path = await add(name);
    const wire = await session(name);
    await done("PATCH", path, { enabled: false });
    await untilClosed(wire);
    const { program } = proxy.proxy;
    const { length } = await program.logs(/start worker process (\d+)/);
    await restart();
    await program.logs(/start worker process (\d+)/, length + 1);
    front.behaviour = "lags for ever";
    const replies = await eventually("the new process answers", async () => {
      const asked = front.asked.length;
      const line = await answer(name).catch(() => null);
      // The process before it may still answer that it ends.
      if (line === null || line.startsWith("* BYE")) return null;
      return { line, bookmarks: front.asked.slice(asked) };
    });
    assert.match(replies.line, temporary.imap);
    assert.equal(replies.bookmarks.length, 2);
  });
}

describe("a user who is revoked during the login", () => {
  test("is not let in by a reply that was on its way, and hears of a refusal", async () => {
    const path = await add("during@example.test");
    // The name that is typed is not one of the kick's.
    await done("POST", "/aliases", { address: "alias@example.test", user: "during@example.test" });
    const held = front.hold();
    const wire = await login("alias@example.test");
    const release = await held;
    await done("PATCH", path, { enabled: false });
    await proxy.proxy.program.logs(/kicked "during@example\.test", sessions ended: 0$/);
    release();
    assert.match(await wire.line(), refused);
    wire.end();
  });

  test("is logged out while the mail server is silent, and hears of a temporary failure", async () => {
    const path = await add("dialling@example.test", { server: "silent" });
    const dialled = eventually("the mail server is dialled", () => silent.connections > 0);
    const wire = await login("DIALLING@example.test");
    await dialled;
    await done("PATCH", path, { enabled: false });
    const [line, ...more] = await untilClosed(wire);
    assert.match(line!, temporary.imap);
    assert.deepEqual(more, []);
  });
});

describe("a user whose name can be written in several ways", () => {
  const NAMES = ["JÖRG@example.test", "jo\u0308rg@example.test", "jörg@example.test"];

  for (const isAnonymous of [false, true]) {
    const by = isAnonymous ? "by name, where the endpoint names no user" : "by id";
    test(`is logged out in each of them ${by}, and no remembered answer is left`, async () => {
      const path = await add("jörg@example.test");
      front.isAnonymous = isAnonymous;
      const wires: Wire[] = [];
      for (const name of NAMES) wires.push(await remembered(name));
      await done("DELETE", path);
      for (const wire of wires) assert.deepEqual(await untilClosed(wire), []);
      front.behaviour = "is away";
      for (const name of NAMES) assert.match(await answer(name), temporary.imap);
    });
  }
});
