// A lookup endpoint that sends malformed replies: each client gets a temporary failure, and the next one is served as
// soon as the replies are valid.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { route } from "../support/peers/lookup-endpoint.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
  temporary,
  untilClosed,
} from "../support/peers/mail-client.ts";
import { type Mailbox, startMailbox } from "../support/peers/mailbox/index.ts";
import { type Servers, inTheClear, startServers } from "../support/programs/servers.ts";
import type { ProtocolName } from "../../shared/lookup.ts";

const HTML = `<!DOCTYPE html><title>Error 1101</title>${"<p>Worker threw exception</p>".repeat(100)}`;

/** The reply, and what the error log says of it. */
const FAULTS: Readonly<
  Record<string, readonly [send: (socket: Socket) => unknown, logged: RegExp]>
> = {
  "500 and nothing else": [
    (socket) => socket.write("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
    /answered 500/,
  ],
  "a page of HTML with status 200": [
    (socket) =>
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${HTML.length}\r\n\r\n${HTML}`,
      ),
    /did not send Auth-Status/,
  ],
  "a page of HTML in chunks that never end": [
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
  "half of a valid reply": [
    (socket) => socket.end(valid("imap").slice(0, -20)),
    /closed the connection too early/,
  ],
  "half of a valid reply and a reset": [
    (socket) => socket.write(valid("imap").slice(0, -20), () => socket.resetAndDestroy()),
    /104: Connection reset by peer|closed the connection too early/,
  ],
  "header lines without end": [
    (socket) => pour(socket, "X-Header: x\r\n"),
    /sent too long response/,
  ],
  "a header line without end": [
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nX: ");
      return pour(socket, "x".repeat(1000));
    },
    /sent too long response/,
  ],
  "a reply so slow that it never ends": [
    (socket) => trickle(socket, `${valid("imap").slice(0, -2)}X: ${"x".repeat(1000)}`),
    /timed out/,
  ],
  "no reply": [() => {}, /timed out/],
  "bytes of no protocol": [
    (socket) => socket.end(Buffer.alloc(4096, "\0\xff\r\n", "latin1")),
    /sent invalid/,
  ],
};

let mailbox: Mailbox;
let endpoint: Server;
let postern: Servers<ProtocolName>;
/** Sends the malformed reply; null for valid replies. */
let fault: ((socket: Socket) => unknown) | null = null;
/** Lines of the error log about replies so far. */
let logged = 0;
/** Connections on which it sends on until Postern closes them. */
const sending = new Set<Socket>();

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  endpoint = createServer((socket) => {
    socket.on("error", () => {}).on("close", () => sending.delete(socket));
    let asked = "";
    socket.on("data", (bytes: Buffer) => {
      asked += bytes.toString("latin1");
      if (!asked.includes("\r\n\r\n")) return;
      const protocol = /Auth-Protocol: (\w+)/.exec(asked)?.[1] as ProtocolName;
      asked = "";
      if (fault === null) socket.write(valid(protocol));
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

function valid(protocol: ProtocolName): string {
  return route(mailbox[protocol].port);
}

/** Sends as fast as Postern reads, until the connection is closed. */
async function pour(socket: Socket, text: string): Promise<void> {
  sending.add(socket);
  const much = text.repeat(Math.ceil(65_536 / text.length));
  while (!socket.destroyed) {
    if (socket.write(much)) await nextTurn();
    else await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
  }
}

/** Sends a byte at a time, slower than the timeout allows. */
function trickle(socket: Socket, text: string): void {
  sending.add(socket);
  let at = 0;
  const timer = setInterval(() => socket.write(text.charAt(at++)), 10);
  socket.on("close", () => clearInterval(timer));
}

interface Outcome {
  readonly protocol: ProtocolName;
  readonly answer: string;
  /** The lines after it. */
  readonly rest: readonly string[];
}

async function logIn(protocol: ProtocolName): Promise<Outcome> {
  const wire = await greeted(protocol, postern.ports[protocol]);
  const answer = await attempt(protocol, wire);
  if (granted[protocol].test(answer)) wire.end();
  return { protocol, answer, rest: await untilClosed(wire) };
}

for (const [name, [send, reason]] of Object.entries(FAULTS)) {
  test(`clients whose lookup endpoint sends ${name} get a temporary failure, the log says why, and the next login succeeds`, async () => {
    fault = send;
    for (const { protocol, answer, rest } of await Promise.all(protocolNames.map(logIn))) {
      assert.match(answer, temporary[protocol]);
      assert.deepEqual(rest, []);
    }
    logged += protocolNames.length;
    const told = await postern.proxy.program.logs(/\[error\].* auth http server (.*)$/, logged);
    for (const [, line = ""] of told.slice(-protocolNames.length)) assert.match(line, reason);

    fault = null;
    for (const { protocol, answer } of await Promise.all(protocolNames.map(logIn))) {
      assert.match(answer, granted[protocol]);
    }
  });
}

test("Postern closes the connection of an endpoint that does not stop sending", async () => {
  while (sending.size > 0) await nextTurn();
});
