import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { dialFirst, interleaved } from "../../../proxy/upstream/happy-eyeballs.ts";
import type { Address, Connection } from "../../../proxy/transport/index.ts";
import { dialled } from "../../support/connections.ts";

/** Addresses that answer when a test says so. */
class Network {
  readonly dialled: string[] = [];
  readonly left: string[] = [];
  readonly failed: string[] = [];
  readonly #pending = new Map<string, PromiseWithResolvers<Connection>>();

  readonly dial = (to: Address, signal: AbortSignal): Promise<Connection> => {
    const pending = Promise.withResolvers<Connection>();
    this.dialled.push(to.host);
    this.#pending.set(to.host, pending);
    signal.addEventListener("abort", () => {
      this.left.push(to.host);
      pending.reject(new Error("given up"));
    });
    return pending.promise;
  };

  answers(host: string, connection: Connection): void {
    this.#pending.get(host)?.resolve(connection);
  }

  refuses(host: string): void {
    this.#pending.get(host)?.reject(new Error(`${host} refuses`));
  }

  race(hosts: readonly string[], signal = new AbortController().signal) {
    const addresses = hosts.map((host) => ({ host, port: 143 }));
    return dialFirst(addresses, this.dial, signal, ({ host }) => this.failed.push(host));
  }
}

/** Lets promises that have been settled be heard of. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

function network({ mock }: TestContext): Network {
  mock.timers.enable({ apis: ["setTimeout"] });
  return new Network();
}

test("the first address that answers is the one, and the others are left", async (context) => {
  const net = network(context);
  const race = net.race(["a", "b", "c"]);
  assert.deepEqual(net.dialled, ["a"]);
  context.mock.timers.tick(250);
  assert.deepEqual(net.dialled, ["a", "b"]);
  const { connection } = await dialled();
  net.answers("b", connection);
  assert.deepEqual(await race, { connection, to: { host: "b", port: 143 } });
  assert.deepEqual(net.left, ["a", "b"]);
  context.mock.timers.tick(1000);
  assert.deepEqual(net.dialled, ["a", "b"]);
  assert.deepEqual(net.failed, []);
  connection.destroy();
});

test("an address that refuses is followed by the next at once", async (context) => {
  const net = network(context);
  const race = net.race(["a", "b"]);
  net.refuses("a");
  await settled();
  assert.deepEqual(net.dialled, ["a", "b"]);
  assert.deepEqual(net.failed, ["a"]);
  const { connection } = await dialled();
  net.answers("b", connection);
  assert.equal((await race).to.host, "b");
  connection.destroy();
});

test("where all refuse, each has been told of and the last one's words are the error", async (context) => {
  const net = network(context);
  const race = net.race(["a", "b"]);
  context.mock.timers.tick(250);
  net.refuses("b");
  await settled();
  net.refuses("a");
  await assert.rejects(race, new Error("a refuses"));
  assert.deepEqual(net.failed, ["b", "a"]);
});

test("who gives up hears so, and of those that had not answered", async (context) => {
  const net = network(context);
  const patience = new AbortController();
  const race = net.race(["a", "b", "c"], patience.signal);
  context.mock.timers.tick(250);
  patience.abort(new Error("enough"));
  await assert.rejects(race, new Error("enough"));
  assert.deepEqual(net.failed, ["a", "b"]);
  assert.deepEqual(net.left, ["a", "b"]);
  context.mock.timers.tick(1000);
  assert.deepEqual(net.dialled, ["a", "b"]);
});

test("two that answer in the same moment leave one connection", async (context) => {
  const net = network(context);
  const race = net.race(["a", "b"]);
  context.mock.timers.tick(250);
  const [one, other] = await Promise.all([dialled(), dialled()]);
  const hungUp = new Promise((resolve) => other.peer.once("end", resolve));
  other.peer.resume();
  net.answers("a", one.connection);
  net.answers("b", other.connection);
  assert.equal((await race).to.host, "a");
  await hungUp;
  one.connection.destroy();
});

test("nobody is dialled for whoever has given up already", async (context) => {
  const net = network(context);
  await assert.rejects(net.race(["a"], AbortSignal.abort(new Error("enough"))), /enough/);
  assert.deepEqual(net.dialled, []);
});

test("a server's only address is dialled without a race, and told of like any other", async (context) => {
  const net = network(context);
  const { connection } = await dialled();
  const race = net.race(["a"]);
  net.answers("a", connection);
  assert.deepEqual(await race, { connection, to: { host: "a", port: 143 } });
  connection.destroy();
  const refused = net.race(["b"]);
  net.refuses("b");
  await assert.rejects(refused, new Error("b refuses"));
  const patience = new AbortController();
  const given = net.race(["c"], patience.signal);
  patience.abort(new Error("enough"));
  await assert.rejects(given, new Error("enough"));
  assert.deepEqual(net.failed, ["b", "c"]);
});

test("the families take turns, IPv6 first, and no address is lost", () => {
  assert.deepEqual(interleaved(["1.1.1.1", "1.1.1.2", "::1"]), ["::1", "1.1.1.1", "1.1.1.2"]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(fc.ipV4(), fc.ipV6())), (addresses) => {
      assert.deepEqual(interleaved(addresses).toSorted(), addresses.toSorted());
    }),
  );
});
