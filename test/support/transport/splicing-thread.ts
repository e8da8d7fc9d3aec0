// A thread that only splices, so that its memory can be measured apart from that of its peers.
import { setFlagsFromString } from "node:v8";
import { setTimeout as pass } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import {
  type Connection,
  SocketClientTls,
  SocketTransport,
  accept,
  bind,
  openConnection,
} from "../../../proxy/transport/index.ts";
import { serverTls } from "./server-tls.ts";
import type { Under } from "./spliced.ts";
import { acceptTlsOn, connectTlsOn } from "./transport.ts";

/** The addresses to accept at and to dial, and the sides that are under TLS. */
export type Errand = { readonly from: number; readonly to: number; readonly under: Under };

const { from, to, under } = workerData as Errand;
const NEVER = { idle: 3_600_000, halfClosed: 3_600_000 };
const transport = new SocketTransport();
const asServer = await serverTls();
const asClient = new SocketClientTls({ verify: false, trusted: null });

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function tell(what: string | number): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(what);
}

async function splice(client: Connection): Promise<void> {
  client.pause();
  const address = { host: "127.0.0.1", port: to };
  const upstream = await openConnection(transport, address, new AbortController().signal);
  if (under.client) await acceptTlsOn(client, asServer);
  if (under.upstream) await connectTlsOn(upstream, asClient, "localhost");
  transport.splice(client, upstream, NEVER, { spliced() {} });
  tell("spliced");
}

const address = { host: "127.0.0.1", port: from };
accept(
  bind(address),
  { ...address, backlog: 64, keepAlive: null },
  (client) => void splice(client),
  (error) => {
    throw error;
  },
);
/** Bytes of buffers, and of what TLS has encrypted, counted for this thread alone; the dead go bit by bit. */
async function weigh(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 10; count++) {
    collectGarbage();
    least = Math.min(least, process.memoryUsage().external);
    await pass(20);
  }
  return least;
}

parentPort?.on("message", () => {
  void weigh().then((bytes) => tell(bytes));
});
tell("ready");
