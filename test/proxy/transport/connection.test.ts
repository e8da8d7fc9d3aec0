import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import {
  RecordingReceiver,
  accepted,
  dialled,
  rest,
  transport,
} from "../../support/transport/connections.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { openConnection } from "../../../proxy/transport/index.ts";

for (const [how, make] of [
  ["accepted", accepted],
  ["dialled", dialled],
] as const) {
  test(`a connection that we ${how} has its remote and its local address`, async () => {
    const { peer, connection } = await make();
    assert.deepEqual(connection.remote, { host: "127.0.0.1", port: peer.localPort });
    assert.deepEqual(connection.local, { host: "127.0.0.1", port: peer.remotePort });
    assert.equal(connection.tls, null);
    peer.destroy();
    connection.destroy();
  });

  test(`a connection that we ${how} carries bytes, and FIN closes one direction at a time`, async () => {
    const { peer, connection } = await make();
    const receiver = new RecordingReceiver(connection);
    peer.end("hello\0\xff", "latin1");
    await receiver.ending.promise;
    assert.equal(receiver.text, "hello\0\xff");
    assert.ok(connection.finished);
    connection.write("still \xe4 here");
    connection.write(Buffer.from("!"));
    connection.end();
    assert.equal(await rest(peer), "still \xe4 here!");
    assert.equal(await receiver.closing.promise, null);
  });
}

test("a peer's reset closes the receiver with ECONNRESET", async () => {
  const { peer, connection } = await accepted();
  const receiver = new RecordingReceiver(connection);
  peer.resetAndDestroy();
  assert.match(String(await receiver.closing.promise), /ECONNRESET/);
});

test("a write to a broken connection causes no error", async () => {
  const { peer, connection } = await accepted();
  const receiver = new RecordingReceiver(connection);
  peer.resetAndDestroy();
  await receiver.closing.promise;
  assert.equal(connection.write("hello"), true);
  connection.end();
  connection.close();
  connection.destroy();
});

test("a paused connection receives nothing until it is resumed", async () => {
  const { peer, connection } = await accepted();
  const receiver = new RecordingReceiver(connection);
  connection.pause();
  peer.write("later");
  const other = await accepted();
  const otherReceiver = new RecordingReceiver(other.connection);
  other.peer.end("now");
  await otherReceiver.ending.promise;
  assert.equal(receiver.text, "");
  peer.end();
  connection.resume();
  await receiver.ending.promise;
  assert.equal(receiver.text, "later");
  connection.destroy();
  other.connection.destroy();
});

test("write() returns false when the connection is full, and the receiver is told when it has drained", async () => {
  const { peer, connection } = await accepted();
  const drained = new Promise<void>((resolve) => {
    connection.receiver = Object.assign(new RecordingReceiver(connection), { drained: resolve });
  });
  let writes = 0;
  while (connection.write(Buffer.alloc(1_000_000)) && writes < 1000) writes++;
  assert.ok(writes < 1000, "it takes a gigabyte unread");
  assert.ok(connection.queued > 0);
  peer.resume();
  await drained;
  assert.equal(connection.queued, 0);
  peer.destroy();
  connection.destroy();
});

test("a reply before close arrives although the client keeps sending", async () => {
  const { peer, connection } = await accepted();
  const receiver = new RecordingReceiver(connection);
  peer.on("error", () => {});
  const chatter = setInterval(() => peer.write(Buffer.alloc(10_000)), 1);
  while (receiver.text.length < 100_000) await new Promise(setImmediate);
  connection.write("bye\r\n");
  connection.close();
  assert.equal(await rest(peer), "bye\r\n");
  clearInterval(chatter);
  peer.end();
});

test("a closed connection passes no more bytes to its receiver", async () => {
  const { peer, connection } = await accepted();
  const receiver = new RecordingReceiver(connection);
  connection.close();
  peer.end("words");
  await rest(peer);
  await once(peer, "close");
  assert.equal(receiver.text, "");
});

/** The sockets that this process has open. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}

for (const fin of [false, true]) {
  test(`a client that reads nothing${fin ? " and has sent FIN" : ""} does not keep a closed connection open`, async () => {
    const { peer, connection } = await accepted();
    const receiver = new RecordingReceiver(connection);
    peer.on("error", () => {});
    if (fin) {
      peer.end();
      await receiver.ending.promise;
    }
    for (let count = 0; count < 50; count++) connection.write(Buffer.alloc(1_000_000));
    const open = openSockets();
    connection.close();
    // The connection may linger for some two seconds; this many turns only bound a failing test.
    for (let turn = 0; turn < 200 && openSockets() >= open; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const left = openSockets();
    peer.destroy();
    connection.destroy();
    assert.ok(left < open, "the connection is still there");
  });
}

test("a dial to a closed port fails with ECONNREFUSED", async () => {
  const [port] = await freePorts(1);
  const dial = openConnection(
    transport,
    { host: "127.0.0.1", port: port! },
    new AbortController().signal,
  );
  await assert.rejects(dial, /ECONNREFUSED/);
});

test("a dial may be aborted before its start and before its answer", async () => {
  const { peer, connection } = await dialled();
  const to = connection.remote;
  peer.destroy();
  connection.destroy();
  await assert.rejects(openConnection(transport, to, AbortSignal.abort(new Error("enough"))));
  const giveUp = new AbortController();
  const dial = openConnection(transport, to, giveUp.signal);
  giveUp.abort(new Error("enough"));
  await assert.rejects(dial);
});

test("unread bytes wait while the connection is paused, and are received once", async () => {
  const { peer, connection } = await accepted();
  const receiver = new RecordingReceiver(connection);
  connection.unread(Buffer.from("before "));
  connection.resume();
  connection.pause();
  await new Promise(setImmediate);
  assert.equal(receiver.text, "");
  connection.resume();
  connection.resume();
  peer.end("after");
  await receiver.ending.promise;
  assert.equal(receiver.text, "before after");
  connection.destroy();
});

for (const event of ["ended", "drained"] as const) {
  test(`a fault of the receiver in ${event} ends its connection, and no other`, async () => {
    const { peer, connection } = await accepted();
    const gone = Promise.withResolvers<Error | null>();
    connection.receiver = {
      received() {},
      drained() {},
      ended() {},
      closed: gone.resolve,
      [event]: () => {
        throw new Error("fault");
      },
    };
    peer.on("error", () => {});
    connection.resume();
    if (event === "ended") peer.end();
    else {
      connection.write(Buffer.alloc(50_000_000));
      peer.resume();
    }
    assert.equal((await gone.promise)?.message, "fault");
    peer.destroy();
  });
}
