// A lookup endpoint that is there and answers badly: each client hears that it is temporary, and the next one is
// served as soon as the endpoint makes sense again.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { route } from "../support/lookup-endpoint.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
  temporary,
  untilClosed,
} from "../support/mail-client.ts";
import { type Mailbox, startMailbox } from "../support/mailbox/index.ts";
import { type Servers, inTheClear, startServers } from "../support/servers.ts";
import type { ProtocolName } from "../../shared/lookup.ts";

const HTML = `<!DOCTYPE html><title>Error 1101</title>${"<p>Worker threw exception</p>".repeat(100)}`;

/** What is said instead of an answer, and what the error log calls it. */
const FAULTS: Readonly<Record<string, readonly [say: (socket: Socket) => unknown, why: RegExp]>> = {
  "500 and nothing else": [
    (socket) => socket.write("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
    /answered 500/,
  ],
  "a page of HTML, as good": [
    (socket) =>
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${HTML.length}\r\n\r\n${HTML}`,
      ),
    /did not send Auth-Status/,
  ],
  "a page of HTML, in pieces that never end": [
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      return pour(socket, `400\r\n${"x".repeat(1024)}\r\n`);
    },
    /did not send Auth-Status/,
  ],
  "a page of HTML without a head": [
    (socket) => socket.end(HTML),
    /closed the connection too early/,
  ],
  "half a status line": [(socket) => socket.end("HTTP/1.1 2"), /closed the connection too early/],
  "a status line and no more": [
    (socket) => socket.end("HTTP/1.1 200 OK\r\n"),
    /closed the connection too early/,
  ],
  "half a yes": [
    (socket) => socket.end(yes("imap").slice(0, -20)),
    /closed the connection too early/,
  ],
  "half a yes and a reset": [
    (socket) => socket.write(yes("imap").slice(0, -20), () => socket.resetAndDestroy()),
    /104: Connection reset by peer|closed the connection too early/,
  ],
  "headers without end": [(socket) => pour(socket, "X-Header: x\r\n"), /sent too long response/],
  "a header without end": [
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nX: ");
      return pour(socket, "x".repeat(1000));
    },
    /sent too long response/,
  ],
  "a byte a while, and never a whole answer": [
    (socket) => trickle(socket, `${yes("imap").slice(0, -2)}X: ${"x".repeat(1000)}`),
    /timed out/,
  ],
  nothing: [() => {}, /timed out/],
  "bytes of no protocol": [
    (socket) => socket.end(Buffer.alloc(4096, "\0\xff\r\n", "latin1")),
    /sent invalid/,
  ],
};

let mailbox: Mailbox;
let endpoint: Server;
let postern: Servers<ProtocolName>;
/** What it says, until it is told to make sense. */
let fault: ((socket: Socket) => unknown) | null = null;
/** Lines of the error log about it. */
let complaints = 0;
/** Connections on which it talks on, until Postern ends them. */
const talking = new Set<Socket>();

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  endpoint = createServer((socket) => {
    socket.on("error", () => {}).on("close", () => talking.delete(socket));
    let asked = "";
    socket.on("data", (bytes: Buffer) => {
      asked += bytes.toString("latin1");
      if (!asked.includes("\r\n\r\n")) return;
      const protocol = /Auth-Protocol: (\w+)/.exec(asked)?.[1] as ProtocolName;
      asked = "";
      if (fault === null) socket.write(yes(protocol));
      else void fault(socket);
    });
  });
  await once(endpoint.listen(0, "127.0.0.1"), "listening");
  const { port } = endpoint.address() as AddressInfo;
  postern = await startServers(
    `auth_http http://127.0.0.1:${port}/auth; auth_http_timeout 2s;`,
    inTheClear,
  );
});
after(async () => {
  await postern.stop();
  endpoint.close();
  await mailbox.close();
});

function yes(protocol: ProtocolName): string {
  return route(mailbox[protocol].port);
}

/** As fast as it is read, until nobody reads. */
async function pour(socket: Socket, text: string): Promise<void> {
  talking.add(socket);
  const much = text.repeat(Math.ceil(65_536 / text.length));
  while (!socket.destroyed) {
    if (socket.write(much)) await nextTurn();
    else await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
  }
}

/** A byte at a time, slower than anybody waits. */
function trickle(socket: Socket, text: string): void {
  talking.add(socket);
  let at = 0;
  const timer = setInterval(() => socket.write(text.charAt(at++)), 10);
  socket.on("close", () => clearInterval(timer));
}

interface Outcome {
  readonly protocol: ProtocolName;
  readonly answer: string;
  /** What was said after it. */
  readonly rest: readonly string[];
}

async function logIn(protocol: ProtocolName): Promise<Outcome> {
  const wire = await greeted(protocol, postern.ports[protocol]);
  const answer = await attempt(protocol, wire);
  if (granted[protocol].test(answer)) wire.end();
  return { protocol, answer, rest: await untilClosed(wire) };
}

for (const [said, [say, why]] of Object.entries(FAULTS)) {
  test(`a lookup endpoint that says ${said}: users hear that it is temporary, in their protocol's words, the log says why, and they are in at the next try once it makes sense`, async () => {
    fault = say;
    for (const { protocol, answer, rest } of await Promise.all(protocolNames.map(logIn))) {
      assert.match(answer, temporary[protocol]);
      assert.deepEqual(rest, []);
    }
    complaints += protocolNames.length;
    const told = await postern.proxy.program.logs(/\[error\].* auth http server (.*)$/, complaints);
    for (const [, line = ""] of told.slice(-protocolNames.length)) assert.match(line, why);

    fault = null;
    for (const { protocol, answer } of await Promise.all(protocolNames.map(logIn))) {
      assert.match(answer, granted[protocol]);
    }
  });
}

test("nobody listens to an endpoint that talks on", async () => {
  while (talking.size > 0) await nextTurn();
});
