import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import type { Address, Connection, DialReceiver } from "../../../proxy/transport/index.ts";
import { Connector, type ConnectorOwner } from "../../../proxy/upstream/index.ts";
import { interleaved } from "../../../proxy/upstream/dialer.ts";
import { inputs } from "../../support/property.ts";

/** A network with addresses that answer on a test's call; a connection has only `destroy`. */
class Network implements ConnectorOwner {
  readonly dialled: string[] = [];
  readonly destroyed: string[] = [];
  readonly failed: string[] = [];
  readonly errors: unknown[] = [];
  won: string | null = null;
  exhaustedTimes = 0;
  readonly #receivers = new Map<string, DialReceiver>();
  connector: Connector | null = null;

  readonly dial = (to: Address, receiver: DialReceiver): Connection => {
    this.dialled.push(to.host);
    if (to.host === "throws") throw new Error("no room");
    this.#receivers.set(to.host, receiver);
    return { destroy: () => this.destroyed.push(to.host) } as Partial<Connection> as Connection;
  };

  connect(...hosts: readonly string[]): void {
    const addresses = hosts.map((host) => ({ host, port: 143 }));
    this.connector = new Connector(this.dial, addresses, this);
    this.connector.dialNext();
  }

  answers(host: string): void {
    this.#receivers.get(host)?.connected();
  }

  refuses(host: string): void {
    this.#receivers.get(host)?.closed(new Error(`${host} refuses`));
  }

  connected(_connection: Connection, to: Address): void {
    assert.equal(this.won, null, "one address wins");
    this.won = to.host;
  }

  unreachable({ host }: Address, error: unknown): void {
    this.failed.push(host);
    this.errors.push(error);
  }

  exhausted(): void {
    this.exhaustedTimes++;
  }
}

function network({ mock }: TestContext): Network {
  mock.timers.enable({ apis: ["setTimeout"] });
  return new Network();
}

test("the first address that answers wins, and the dials to the others are destroyed", (context) => {
  const net = network(context);
  net.connect("a", "b", "c");
  assert.deepEqual(net.dialled, ["a"]);
  context.mock.timers.tick(250);
  assert.deepEqual(net.dialled, ["a", "b"]);
  net.answers("b");
  assert.equal(net.won, "b");
  assert.deepEqual(net.destroyed, ["a"]);
  context.mock.timers.tick(1000);
  assert.deepEqual(net.dialled, ["a", "b"]);
  assert.deepEqual(net.failed, []);
  assert.equal(net.exhaustedTimes, 0);
});

test("a refusal makes the connector dial the next address at once", (context) => {
  const net = network(context);
  net.connect("a", "b");
  net.refuses("a");
  assert.deepEqual(net.dialled, ["a", "b"]);
  assert.deepEqual(net.failed, ["a"]);
  net.answers("b");
  assert.equal(net.won, "b");
});

test("a dial that throws makes the connector dial the next address at once", (context) => {
  const net = network(context);
  net.connect("throws", "b");
  assert.deepEqual(net.dialled, ["throws", "b"]);
  assert.deepEqual(net.failed, ["throws"]);
  net.answers("b");
  assert.equal(net.won, "b");
  context.mock.timers.tick(1000);
  assert.deepEqual(net.dialled, ["throws", "b"]);
});

test("each refusal is reported with its error, and exhaustion is reported once after the last refusal", (context) => {
  const net = network(context);
  net.connect("a", "b");
  context.mock.timers.tick(250);
  net.refuses("b");
  assert.equal(net.exhaustedTimes, 0);
  net.refuses("a");
  assert.deepEqual(net.failed, ["b", "a"]);
  assert.deepEqual(net.errors, [new Error("b refuses"), new Error("a refuses")]);
  assert.equal(net.exhaustedTimes, 1);
});

test("giveUp reports every dialled address without an answer, and dials no further address", (context) => {
  const net = network(context);
  net.connect("a", "b", "c");
  context.mock.timers.tick(250);
  net.connector?.giveUp(new Error("enough"));
  assert.deepEqual(net.failed, ["a", "b"]);
  assert.deepEqual(net.errors, [new Error("enough"), new Error("enough")]);
  assert.deepEqual(net.destroyed, ["a", "b"]);
  assert.equal(net.exhaustedTimes, 1);
  context.mock.timers.tick(1000);
  assert.deepEqual(net.dialled, ["a", "b"]);
});

test("cancel destroys all dials, and the owner is told nothing after it", (context) => {
  const net = network(context);
  net.connect("a", "b", "c");
  context.mock.timers.tick(250);
  net.connector?.cancel();
  net.refuses("a");
  context.mock.timers.tick(1000);
  assert.deepEqual(net.destroyed, ["a", "b"]);
  assert.deepEqual([net.failed, net.won, net.exhaustedTimes], [[], null, 0]);
  assert.deepEqual(net.dialled, ["a", "b"]);
});

test("a server's only address wins or fails like the first of several addresses", (context) => {
  const net = network(context);
  net.connect("a");
  net.answers("a");
  assert.equal(net.won, "a");
  const other = new Network();
  other.connect("b");
  other.refuses("b");
  assert.deepEqual([other.failed, other.exhaustedTimes], [["b"], 1]);
});

test("address families alternate, IPv6 first, and no address is lost", () => {
  assert.deepEqual(interleaved(["1.1.1.1", "1.1.1.2", "::1"]), ["::1", "1.1.1.1", "1.1.1.2"]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(fc.ipV4(), fc.ipV6())), (addresses) => {
      assert.deepEqual(interleaved(addresses).toSorted(), addresses.toSorted());
    }),
    inputs(2),
  );
});
