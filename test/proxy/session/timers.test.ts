// nginx's time limits: the start and the end of each.
import assert from "node:assert/strict";
import { type Socket, connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type LookupEndpoint,
  never,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import type { Listener } from "../../support/peers/mailbox/index.ts";
import { attempt, greeted, temporary, untilClosed } from "../../support/peers/mail-client.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { grantImap, startUpstream } from "../../support/peers/upstream.ts";
import { Wire } from "../../support/peers/wire.ts";

/** ms, `timeout` of the servers below. */
const TIMEOUT = 1000;
/** ms by which a limit may fire late on a busy machine. */
const LATE = 900;

/** True when the tests have ended, so that the upstreams stop sending. */
let finished = false;
let slow: Listener;
let chatty: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<"imap" | "header" | "tls" | "starttls" | "lookup">;

before(async () => {
  // This upstream sends a byte every 200 ms, and never a whole line.
  slow = await startUpstream(async (wire) => {
    while (!finished) {
      wire.write("*");
      await sleep(200);
    }
  });
  chatty = await startUpstream(async (wire) => {
    await grantImap(wire);
    while (!finished) {
      wire.write("* 1 EXISTS\r\n");
      await sleep(200);
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
  finished = true;
  await postern.stop();
  await endpoint.close();
  await Promise.all([slow.close(), chatty.close()]);
});

/** Asserts that the time since `since` is the limit, with a margin for a busy machine. */
function assertElapsed(since: number, limit: number): void {
  const elapsed = performance.now() - since;
  assert.ok(elapsed >= limit - 10, `${Math.round(elapsed)} ms is too soon`);
  assert.ok(elapsed < limit + LATE, `${Math.round(elapsed)} ms is too late`);
}

function dial(port: number): { socket: Socket; wire: Wire } {
  const socket = connect(port, "127.0.0.1");
  return { socket, wire: new Wire(socket) };
}

/** Writes the text every 200 ms until the socket is closed. */
async function writeRepeatedly(socket: Socket, text: string): Promise<void> {
  while (socket.writable) {
    socket.write(text);
    await sleep(200);
  }
}

describe("timeout", { concurrency: true }, () => {
  test("timeout starts at the greeting, and commands do not extend timeout", async () => {
    const { socket, wire } = dial(postern.ports.imap);
    await wire.line();
    const since = performance.now();
    void writeRepeatedly(socket, "a NOOP\r\n");
    const lines = await untilClosed(wire);
    assertElapsed(since, TIMEOUT);
    assert.ok(lines.length > 1);
    assert.deepEqual([...new Set(lines)], ["a OK completed"]);
  });

  test("timeout limits a PROXY header that arrives byte by byte", async () => {
    const { socket, wire } = dial(postern.ports.header);
    const since = performance.now();
    socket.write("PROXY TCP4 192.0.2.1 ");
    void writeRepeatedly(socket, "1");
    assert.deepEqual(await untilClosed(wire), []);
    assertElapsed(since, TIMEOUT);
  });

  test("timeout starts again at the greeting behind a PROXY header", async () => {
    const { wire } = dial(postern.ports.header);
    await sleep(TIMEOUT * 0.6);
    wire.write("PROXY UNKNOWN\r\n");
    await wire.line();
    const since = performance.now();
    assert.deepEqual(await untilClosed(wire), []);
    assertElapsed(since, TIMEOUT);
  });

  test("timeout limits a TLS handshake", async () => {
    const { wire } = dial(postern.ports.tls);
    const since = performance.now();
    assert.deepEqual(await untilClosed(wire), []);
    assertElapsed(since, TIMEOUT);
  });

  test("timeout runs out twice for a client that sends STARTTLS and begins no handshake", async () => {
    const wire = await greeted("imap", postern.ports.starttls);
    const since = performance.now();
    wire.write("a STARTTLS\r\n");
    assert.deepEqual(await untilClosed(wire), ["a OK completed"]);
    assertElapsed(since, 2 * TIMEOUT);
  });

  test("timeout starts again when the client gets a refusal after Auth-Wait", async () => {
    const wire = await greeted("imap", postern.ports.imap);
    await sleep(TIMEOUT * 0.6);
    assert.equal(await attempt("imap", wire, { login: "refused", password: "x" }), "a NO no");
    const since = performance.now();
    assert.deepEqual(await untilClosed(wire), []);
    assertElapsed(since, TIMEOUT);
  });

  test("timeout limits the whole upstream login, and bytes from the upstream do not extend timeout", async () => {
    const wire = await greeted("imap", postern.ports.imap);
    await sleep(TIMEOUT * 0.6);
    const since = performance.now();
    const answer = await attempt("imap", wire, { login: "slow", password: "x" });
    assertElapsed(since, TIMEOUT);
    assert.match(answer, temporary.imap);
    assert.deepEqual(await untilClosed(wire), []);
  });
});

test("auth_http_timeout limits a lookup, and timeout does not", async () => {
  const wire = await greeted("imap", postern.ports.lookup);
  const since = performance.now();
  assert.match(await attempt("imap", wire, { login: "never", password: "x" }), temporary.imap);
  assertElapsed(since, TIMEOUT);
});

test("bytes from the upstream restart proxy_timeout (in nginx only the client's bytes do)", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  assert.match(await attempt("imap", wire, { login: "chatty", password: "x" }), /^a OK/);
  const since = performance.now();
  while (performance.now() - since < 2 * TIMEOUT) assert.equal(await wire.line(), "* 1 EXISTS");
  wire.end();
});
