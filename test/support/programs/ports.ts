// Ports of this machine for servers that must be given a number: each goes to one test process only.
import { once } from "node:events";
import { type Server, connect, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const HOST = "127.0.0.1";
/** Above the ports of the demo, and below those that Linux gives to connections and to servers on port 0. */
const FIRST = 14_000;
const LAST = 32_000;
/** Ports are taken in blocks. The process that listens on the first port of a block owns the others, until it ends. */
const BLOCK = 40;

const locks: Server[] = [];
const own: number[] = [];

/** Ports on which nothing listens; no other call gets them while this process lives. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = own.shift();
    if (port === undefined) own.push(...(await takeBlock()));
    else if (await canListen(port)) ports.push(port);
  }
  return ports;
}

/** Likewise in a row; returns the first one. */
export async function freePortRange(count: number): Promise<number> {
  for (;;) {
    const block = await takeBlock();
    const range = block.splice(0, count);
    own.push(...block);
    const free = await Promise.all(range.map((port) => canListen(port)));
    if (range[0] !== undefined && free.every(Boolean)) return range[0];
  }
}

/** Starts at random, so that processes that begin at once seldom ask for the same block. */
async function takeBlock(): Promise<number[]> {
  const blocks = Math.floor((LAST - FIRST) / BLOCK);
  const start = Math.floor(Math.random() * blocks);
  for (let n = 0; n < blocks; n++) {
    const first = FIRST + ((start + n) % blocks) * BLOCK;
    const lock = await listen(first, HOST);
    if (lock === null) continue;
    locks.push(lock.unref());
    return Array.from({ length: BLOCK - 1 }, (_, index) => first + 1 + index);
  }
  throw new Error(`no block of ports from ${FIRST} to ${LAST} is free`);
}

export function isFree(port: number): Promise<boolean> {
  return canListen(port, HOST);
}

/** @param host all addresses of this machine where it is left out */
async function canListen(port: number, host?: string): Promise<boolean> {
  const server = await listen(port, host);
  if (server === null) return false;
  server.close();
  await once(server, "close");
  return true;
}

/** Null where the port is taken. */
async function listen(port: number, host?: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(port, host);
    await once(server, "listening");
    return server;
  } catch {
    return null;
  }
}

/** Waits until something accepts connections on the port, or the signal says to give up. */
export async function accepting(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const socket = connect(port, HOST);
    try {
      await once(socket, "connect", { signal });
      return;
    } catch {
      await pause(10);
    } finally {
      socket.destroy();
    }
  }
}
