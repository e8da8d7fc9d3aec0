import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import {
  type Address,
  type Connection,
  accept,
  bind,
  openConnection,
} from "../../../proxy/transport/index.ts";
import { RecordingReceiver, transport } from "../../support/transport/connections.ts";
import { firstProbe, noLinux } from "../../support/transport/keep-alive.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { makeScratch } from "../../support/programs/scratch.ts";

const noIPv6 = networkInterfaces()["lo"]?.some(({ family }) => family === "IPv6")
  ? false
  : "this machine has no IPv6";

interface Options {
  readonly ipv6only?: boolean;
  readonly keepAlive?: Parameters<typeof accept>[1]["keepAlive"];
}

/** Binds the address, accepts one connection and stops listening. */
function next(
  address: Address,
  { ipv6only = true, keepAlive = null }: Options = {},
): Promise<Connection> {
  const socket = bind({ ...address, ipv6only });
  return new Promise((resolve, reject) => {
    const listener = accept(
      socket,
      { ...address, backlog: 8, keepAlive },
      (connection) => {
        listener.close();
        resolve(connection);
      },
      reject,
    );
  });
}

/** Connects, waits for the accepted connection, and closes both. */
async function connectOnce(
  host: string,
  port: number,
  answered: Promise<Connection>,
): Promise<Connection> {
  const socket = connect(port, host).resume();
  const connection = await answered;
  connection.close();
  socket.end();
  await once(socket, "close");
  return connection;
}

test(
  "listeners for all addresses of IPv4 and of IPv6 share one port",
  { skip: noIPv6 },
  async () => {
    const [port = 0] = await freePorts(1);
    const [four, six] = [next({ host: "0.0.0.0", port }), next({ host: "::", port })];
    assert.equal((await connectOnce("127.0.0.1", port, four)).remote.host, "127.0.0.1");
    assert.equal((await connectOnce("::1", port, six)).remote.host, "::1");
  },
);

test(
  "a listener for all addresses of IPv6 accepts IPv4 too with ipv6only off",
  { skip: noIPv6 },
  async () => {
    const [port = 0] = await freePorts(1);
    const both = next({ host: "::", port }, { ipv6only: false });
    assert.equal((await connectOnce("127.0.0.1", port, both)).remote.host, "::ffff:127.0.0.1");
  },
);

test("a port in use causes nginx's error", async () => {
  const [port = 0] = await freePorts(1);
  const address = { host: "127.0.0.1", port };
  const taken = next(address);
  assert.throws(() => bind(address), {
    message: `bind() to 127.0.0.1:${port} failed (98: Address already in use)`,
    inUse: true,
  });
  await connectOnce("127.0.0.1", port, taken);
});

test("an address of another machine causes nginx's error", () => {
  assert.throws(() => bind({ host: "192.0.2.1", port: 1143 }), {
    message: "bind() to 192.0.2.1:1143 failed (99: Cannot assign requested address)",
    inUse: false,
  });
});

describe("so_keepalive", { skip: noLinux }, () => {
  const system = { idle: 0, interval: 0, count: 0 };
  const FORMS = {
    "sends no probes where the parameter is absent": [null, null],
    "sends the first probe after the idle time of the parameter": [
      { idle: 600, interval: 5, count: 3 },
      600,
    ],
    "sends the first probe after two hours where the parameter has no idle time": [
      { ...system, count: 3 },
      7200,
    ],
  } as const;
  for (const [what, [keepAlive, idle]] of Object.entries(FORMS)) {
    test(what, async () => {
      const [port = 0] = await freePorts(1);
      const answered = next({ host: "127.0.0.1", port }, { keepAlive });
      const socket = connect(port, "127.0.0.1");
      const connection = await answered;
      const seconds = firstProbe(connection);
      connection.close();
      socket.destroy();
      if (idle === null) assert.equal(seconds, null);
      else assert.ok(seconds !== null && seconds <= idle && seconds > idle - 60, `${seconds}`);
    });
  }

  test("sends probes at the system's times where the parameter has no times", async () => {
    const [port = 0] = await freePorts(1);
    const answered = next({ host: "127.0.0.1", port }, { keepAlive: system });
    const socket = connect(port, "127.0.0.1");
    const connection = await answered;
    assert.ok(firstProbe(connection) !== null);
    connection.close();
    socket.destroy();
  });
});

describe("a unix socket", () => {
  async function scratch(t: TestContext): Promise<string> {
    const { path, remove } = await makeScratch();
    t.after(remove);
    return path;
  }

  test("may be used by every user, and its file is removed on close", async (t) => {
    const path = join(await scratch(t), "mail.sock");
    const socket = bind({ host: `unix:${path}`, port: 0 });
    assert.equal(statSync(path).mode & 0o7777, 0o666);
    socket.close();
    assert.ok(!existsSync(path));
  });

  test("moves bytes in both directions, and the remote address is unix: for each client", async (t) => {
    const address = { host: `unix:${join(await scratch(t), "mail.sock")}`, port: 0 };
    const answered = next(address);
    const dialled = await openConnection(transport, address, new AbortController().signal);
    const accepted = await answered;
    assert.deepEqual(accepted.remote, { host: "unix:", port: 0 });
    assert.deepEqual(accepted.local, address);
    assert.deepEqual(dialled.remote, address);
    const receivers = [new RecordingReceiver(accepted), new RecordingReceiver(dialled)];
    for (const [index, connection] of [dialled, accepted].entries()) {
      connection.write(`hello ${index}`);
      connection.end();
    }
    await Promise.all(receivers.map((receiver) => receiver.ending.promise));
    assert.deepEqual(
      receivers.map(({ text }) => text),
      ["hello 0", "hello 1"],
    );
  });

  test("causes nginx's error where bind fails", async (t) => {
    const path = await scratch(t);
    writeFileSync(join(path, "stale"), "");
    const WRONG = {
      stale: "98: Address already in use",
      "missing/mail.sock": "2: No such file or directory",
      "stale/mail.sock": "20: Not a directory",
    };
    for (const [name, message] of Object.entries(WRONG)) {
      const host = `unix:${path}/${name}`;
      assert.throws(() => bind({ host, port: 0 }), {
        message: `bind() to ${host} failed (${message})`,
      });
    }
    assert.ok(existsSync(join(path, "stale")), "it is not ours to remove");
  });
});
