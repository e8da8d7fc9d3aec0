// Free ports on loopback for servers that want to know theirs before they start.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const host = "127.0.0.1";
/** Below the ports that Linux gives to outgoing connections, and above those of the demo. */
const lowest = 14_000;
const highest = 32_000;
const taken = new Set<number>();

/** Ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    ports.push(port);
  }
  return ports;
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** Waits until something accepts connections on the port, or the signal says to give up. */
export async function accepting(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const socket = connect(port, host);
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
