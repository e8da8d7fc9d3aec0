import assert from "node:assert/strict";
import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { transport } from "../../support/transport/connections.ts";

/** A UDP socket on loopback, closed when the test ends. */
async function peer(t: TestContext, host: "127.0.0.1" | "::1" = "127.0.0.1"): Promise<Socket> {
  const socket = createSocket(host === "::1" ? "udp6" : "udp4");
  socket.bind(0, host);
  await once(socket, "listening");
  t.after(() => socket.close());
  return socket;
}

type Received = [bytes: Buffer, from: { address: string; port: number }];

for (const host of ["127.0.0.1", "::1"] as const) {
  test(`datagrams arrive whole in both directions, with a peer at ${host}`, async (t) => {
    const there = await peer(t, host);
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const datagrams = transport.datagrams({ host, port: there.address().port }, resolve);
    t.after(() => datagrams.close());
    datagrams.send(Buffer.from("first"));
    datagrams.send(Buffer.from("second"));
    const [first, from] = (await once(there, "message")) as Received;
    const [second] = (await once(there, "message")) as Received;
    assert.deepEqual([first.toString(), second.toString()], ["first", "second"]);
    there.send("answer", from.port, from.address);
    assert.equal(Buffer.from(await promise).toString(), "answer");
  });
}

test("a datagram of another sender is dropped", async (t) => {
  const there = await peer(t);
  const stranger = await peer(t);
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const to = { host: "127.0.0.1", port: there.address().port };
  const datagrams = transport.datagrams(to, resolve);
  t.after(() => datagrams.close());
  datagrams.send(Buffer.from("question"));
  const [, from] = (await once(there, "message")) as Received;
  await new Promise((sent) => {
    stranger.send("evil", from.port, from.address, sent);
  });
  there.send("good", from.port, from.address);
  assert.equal(Buffer.from(await promise).toString(), "good");
});

test("sending to a closed port and closing before a send has finished cause no error", async (t) => {
  const gone = createSocket("udp4");
  gone.bind(0, "127.0.0.1");
  await once(gone, "listening");
  const { port } = gone.address();
  gone.close();
  const listening = await peer(t);
  const silent = transport.datagrams({ host: "127.0.0.1", port }, () => {});
  silent.send(Buffer.from("hello?"));
  const early = transport.datagrams(
    { host: "127.0.0.1", port: listening.address().port },
    () => {},
  );
  early.send(Buffer.from("never mind"));
  early.close();
  early.send(Buffer.from("never mind"));
  const late = transport.datagrams({ host: "127.0.0.1", port: listening.address().port }, () => {});
  t.after(() => late.close());
  late.send(Buffer.from("here"));
  const [bytes] = (await once(listening, "message")) as Received;
  assert.equal(bytes.toString(), "here");
  silent.send(Buffer.from("hello?"));
  silent.close();
});
