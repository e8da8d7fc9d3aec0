// The memory of a worker for clients that have not logged in is bounded, whatever they send.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { ProtocolName } from "../../shared/lookup.ts";
import { openFiles } from "../../proxy/process/os/open-files.ts";
import { SASL_LINE } from "../../proxy/protocols/limits.ts";
import {
  type LookupEndpoint,
  never,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import { protocolNames } from "../support/peers/mail-client.ts";
import { startPostern } from "../support/real-servers/index.ts";
import { freePorts } from "../support/programs/ports.ts";
import { Wire } from "../support/peers/wire.ts";

/** Connections, or as many as may be open here. */
const MOST = Math.min(20_000, (openFiles()?.soft ?? 1024) - 200);
/** Connections that are made at a time; the listen queue holds more. */
const AT_ONCE = 200;

/** Bytes a connection in the worst case, and with the longest line, as docs/limits.md has them. */
const WORST = 160 * 1024;
const LONGEST_LINE = 32 * 1024;

/** The most that a worker reads at a time. */
const CHUNK = 65_536;

let endpoint: LookupEndpoint;
before(async () => {
  endpoint = await startLookupEndpoint(never);
});
after(() => endpoint.close());

/** A command, and the longest line that may follow, without its last byte. */
const HELD: Readonly<Record<ProtocolName, string>> = {
  imap: `a NOOP\r\n${"b AUTHENTICATE PLAIN ".padEnd(SASL_LINE - 1, "A")}`,
  pop3: `NOOP\r\n${"AUTH PLAIN ".padEnd(SASL_LINE - 1, "A")}`,
  smtp: `NOOP\r\n${"AUTH PLAIN ".padEnd(SASL_LINE - 1, "A")}`,
};

/** Private memory of these processes, bytes. */
function privateMemory(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const [, dirty] = /^Private_Dirty: +(\d+) kB/m.exec(text) ?? [];
    return sum + Number(dirty) * 1024;
  }, 0);
}

async function start(t: { after(work: () => Promise<void>): void }, workers: number) {
  const free = await freePorts(protocolNames.length);
  const ports = Object.fromEntries(protocolNames.map((name, index) => [name, free[index]!]));
  const servers = protocolNames.map(
    (name) => `server { listen 127.0.0.1:${ports[name]} backlog=4096; protocol ${name}; }`,
  );
  const postern = await startPostern(`
    worker_processes ${workers};
    error_log stderr notice;
    events { worker_connections 20000; }
    mail {
      auth_http ${endpoint.address}; auth_http_timeout 1h; timeout 1h; access_log off;
      ${servers.join("\n")}
    }`);
  t.after(() => postern.stop());
  const started = await postern.program.logs(/start worker process (\d+)/, workers);
  return {
    ports: ports as Record<ProtocolName, number>,
    pids: started.map(([, pid]) => Number(pid)),
  };
}

/** Makes so many connections, AT_ONCE at a time, and runs `then` on each. */
async function crowd(
  count: number,
  ports: Readonly<Record<ProtocolName, number>>,
  then: (socket: Socket, wire: Wire, protocol: ProtocolName) => Promise<unknown>,
): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const come = async (): Promise<void> => {
    while (sockets.length < count) {
      const protocol = protocolNames[sockets.length % protocolNames.length]!;
      const socket = connect(ports[protocol], "127.0.0.1");
      sockets.push(socket);
      const wire = new Wire(socket);
      await wire.line();
      await then(socket, wire, protocol);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, come));
  return sockets;
}

test(`${MOST} clients that hold back the end of the longest line take at most ${LONGEST_LINE} bytes each`, async (t) => {
  const { ports, pids } = await start(t, 2);
  const empty = privateMemory(pids);
  const sockets = await crowd(MOST, ports, (_socket, wire, protocol) => {
    wire.write(HELD[protocol]);
    return wire.line();
  });
  const each = (privateMemory(pids) - empty) / sockets.length;
  for (const socket of sockets) socket.destroy();
  t.diagnostic(`${Math.round(each)} bytes each`);
  assert.ok(each > SASL_LINE, `${each} bytes: the lines are not held`);
  assert.ok(each <= LONGEST_LINE, `${each} bytes`);
});

/** More than a worker takes from a client. */
const FLOOD = Buffer.alloc(400_000, "a NOOP\r\n");

const LOGIN: Readonly<Record<ProtocolName, string>> = {
  imap: "a AUTHENTICATE PLAIN AGEAYg==\r\n",
  pop3: "AUTH PLAIN AGEAYg==\r\n",
  smtp: "AUTH PLAIN AGEAYg==\r\n",
};

test(`clients that send all they can during the lookup take at most ${WORST} bytes each`, async (t) => {
  const { ports, pids } = await start(t, 1);
  const empty = privateMemory(pids);
  const sockets = await crowd(2 * AT_ONCE, ports, async (socket, wire, protocol) => {
    wire.write(LOGIN[protocol]);
    socket.write(FLOOD);
  });
  const each = await settled(() => (privateMemory(pids) - empty) / sockets.length);
  for (const socket of sockets) socket.destroy();
  t.diagnostic(`${Math.round(each)} bytes each`);
  assert.ok(each <= WORST, `${each} bytes`);
});

/** Waits until the memory has grown to a chunk at least and no longer grows. */
async function settled(held: () => number): Promise<number> {
  let last = 0;
  for (let quiet = 0; quiet < 10; quiet++) {
    const now = held();
    if (now < CHUNK || now > last) quiet = 0;
    last = Math.max(last, now);
    await pause(50);
  }
  return last;
}
