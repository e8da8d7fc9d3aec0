import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel } from "../../../../proxy/process/ipc/channel.ts";

interface Shop {
  price(of: string): number | Promise<number>;
  open(until: number): void;
}

type Messages = Parameters<Channel<Shop, object>["receive"]>[0][];

/** A channel to a shop, and the messages that it has sent. */
function customer(): { channel: Channel<object, Shop>; sent: Messages } {
  const sent: Messages = [];
  return { channel: new Channel<object, Shop>((message) => sent.push(message), {}), sent };
}

/** Hands the messages so far to a shop, which replies by the channel. */
function serve(channel: Channel<object, Shop>, sent: Messages, shop: Shop): Channel<Shop, object> {
  const server = new Channel<Shop, object>((message) => channel.receive(message), shop);
  for (const message of sent.splice(0)) server.receive(message);
  return server;
}

test("each request has its own reply, in whatever order the replies come", async () => {
  const { channel, sent } = customer();
  const [milk, bread] = [channel.request("price", ["milk"]), channel.request("price", ["bread"])];
  const slow = Promise.withResolvers<number>();
  serve(channel, sent, {
    price: (of) => (of === "milk" ? slow.promise : 3),
    open() {},
  });
  assert.equal(await bread, 3);
  slow.resolve(1);
  assert.equal(await milk, 1);
});

test("a call without a reply arrives before a request that follows it", async () => {
  const { channel, sent } = customer();
  let hours = 0;
  channel.send("open", [8]);
  const price = channel.request("price", ["milk"]);
  serve(channel, sent, { price: () => hours, open: (until) => void (hours = until) });
  assert.equal(await price, 8);
});

test("a request without a reply is given up after its time, and a late reply is dropped", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { channel, sent } = customer();
  const first = channel.request("price", ["milk"], 1000);
  t.mock.timers.tick(1000);
  assert.equal(await first, undefined);
  const second = channel.request("price", ["bread"], 1000);
  serve(channel, sent, { price: (of) => (of === "milk" ? 1 : 3), open() {} });
  assert.equal(await second, 3);
});

test("a channel that is closed replies to no request", async () => {
  const { channel } = customer();
  const prices = [channel.request("price", ["milk"]), channel.request("price", ["bread"])];
  channel.close();
  assert.deepEqual(await Promise.all(prices), [undefined, undefined]);
});
