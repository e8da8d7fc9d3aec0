// nginx's time limits: what each holds for, and what does not move it.
import assert from "node:assert/strict";
import { type Socket, connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import {
  type LookupEndpoint,
  never,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/lookup-endpoint.ts";
import type { Listener } from "../../support/mailbox/index.ts";
import { attempt, greeted, temporary, untilClosed } from "../../support/mail-client.ts";
import { type Servers, startServers } from "../../support/servers.ts";
import { grantImap, startUpstream } from "../../support/upstream.ts";
import { Wire } from "../../support/wire.ts";

/** ms; `timeout` in the servers below. */
const TIMEOUT = 1000;
/** ms by which a limit may fire late on a busy machine. */
const LATE = 900;

/** Whether upstreams may fall silent. */
let over = false;
let slow: Listener;
let chatty: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<"imap" | "header" | "tls" | "starttls" | "lookup">;

before(async () => {
  // A byte now and then, and never a whole line.
  slow = await startUpstream(async (wire) => {
    while (!over) {
      wire.write("*");
      await pass(200);
    }
  });
  chatty = await startUpstream(async (wire) => {
    await grantImap(wire);
    while (!over) {
      wire.write("* 1 EXISTS\r\n");
      await pass(200);
    }
  });
  const answers: Record<string, () => string> = {
    refused: () => reply(200, { "Auth-Status": "no", "Auth-Wait": 1 }),
    slow: () => route(slow.port),
    chatty: () => route(chatty.port),
  };
  endpoint = await startLookupEndpoint((lookup) =>
    (answers[lookup.header("Auth-User") ?? ""] ?? never)(),
  );
  const imap = "listen 127.0.0.1:PORT; protocol imap;";
  postern = await startServers(`auth_http ${endpoint.address}; timeout 1s;`, {
    imap: `${imap} proxy_timeout 1s;`,
    header: "listen 127.0.0.1:PORT proxy_protocol; protocol imap;",
    tls: "listen 127.0.0.1:PORT ssl; protocol imap;",
    starttls: `${imap} starttls on;`,
    lookup: `${imap} timeout 100s; auth_http_timeout 1s;`,
  });
});
after(async () => {
  over = true;
  await postern.stop();
  await endpoint.close();
  await Promise.all([slow.close(), chatty.close()]);
});

/** Asserts that something took as long as a limit, within reason. */
function took(since: number, limit: number): void {
  const elapsed = performance.now() - since;
  assert.ok(elapsed >= limit - 10, `${Math.round(elapsed)} ms is too soon`);
  assert.ok(elapsed < limit + LATE, `${Math.round(elapsed)} ms is too late`);
}

function dial(port: number): { socket: Socket; wire: Wire } {
  const socket = connect(port, "127.0.0.1");
  return { socket, wire: new Wire(socket) };
}

/** Writes this again and again, until the wire is closed. */
async function repeat(socket: Socket, text: string): Promise<void> {
  while (socket.writable) {
    socket.write(text);
    await pass(200);
  }
}

describe("timeout", { concurrency: true }, () => {
  test("begins with the greeting, and commands do not move it", async () => {
    const { socket, wire } = dial(postern.ports.imap);
    await wire.line();
    const since = performance.now();
    void repeat(socket, "a NOOP\r\n");
    const lines = await untilClosed(wire);
    took(since, TIMEOUT);
    assert.ok(lines.length > 1);
    assert.deepEqual([...new Set(lines)], ["a OK completed"]);
  });

  test("holds for a balancer's PROXY header, however it trickles", async () => {
    const { socket, wire } = dial(postern.ports.header);
    const since = performance.now();
    socket.write("PROXY TCP4 192.0.2.1 ");
    void repeat(socket, "1");
    assert.deepEqual(await untilClosed(wire), []);
    took(since, TIMEOUT);
  });

  test("begins anew with the greeting behind the header", async () => {
    const { wire } = dial(postern.ports.header);
    await pass(TIMEOUT * 0.6);
    wire.write("PROXY UNKNOWN\r\n");
    await wire.line();
    const since = performance.now();
    assert.deepEqual(await untilClosed(wire), []);
    took(since, TIMEOUT);
  });

  test("holds for a handshake", async () => {
    const { wire } = dial(postern.ports.tls);
    const since = performance.now();
    assert.deepEqual(await untilClosed(wire), []);
    took(since, TIMEOUT);
  });

  test("goes on at STARTTLS, and once more for a handshake that has not begun", async () => {
    const wire = await greeted("imap", postern.ports.starttls);
    const since = performance.now();
    wire.write("a STARTTLS\r\n");
    assert.deepEqual(await untilClosed(wire), ["a OK completed"]);
    took(since, 2 * TIMEOUT);
  });

  test("begins anew when a refusal that was held back is told", async () => {
    const wire = await greeted("imap", postern.ports.imap);
    await pass(TIMEOUT * 0.6);
    assert.equal(await attempt("imap", wire, { login: "refused", password: "x" }), "a NO no");
    const since = performance.now();
    assert.deepEqual(await untilClosed(wire), []);
    took(since, TIMEOUT);
  });

  test("holds for the whole login upstream, whatever arrives meanwhile", async () => {
    const wire = await greeted("imap", postern.ports.imap);
    await pass(TIMEOUT * 0.6);
    const since = performance.now();
    const answer = await attempt("imap", wire, { login: "slow", password: "x" });
    took(since, TIMEOUT);
    assert.match(answer, temporary.imap);
    assert.deepEqual(await untilClosed(wire), []);
  });
});

test("auth_http_timeout holds for a lookup, timeout does not", async () => {
  const wire = await greeted("imap", postern.ports.lookup);
  const since = performance.now();
  assert.match(await attempt("imap", wire, { login: "never", password: "x" }), temporary.imap);
  took(since, TIMEOUT);
});

test("proxy_timeout is moved by what the upstream says (nginx counts the client's bytes only)", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  assert.match(await attempt("imap", wire, { login: "chatty", password: "x" }), /^a OK/);
  const since = performance.now();
  while (performance.now() - since < 2 * TIMEOUT) assert.equal(await wire.line(), "* 1 EXISTS");
  wire.end();
});
