/**
 * Memory of an idle session that is logged in. Garbage of the logins that V8 has not collected yet counts, since
 * an operator pays for it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Clients } from "../client.ts";
import { memory } from "../../support/programs/process-tree.ts";
import { ONE_WORKER, type Row } from "../row.ts";

/** So many that the garbage of a few does not matter. */
const SESSIONS = 2000;

/** ms before the memory is read, for each ms of the measurement. */
const SETTLING = 6;

export const idleMemory: readonly Row[] = [idle("clear", 0.7), idle("tls", 1.7)];

function idle(security: "clear" | "tls", atMost: number): Row {
  return {
    name: `memory of an idle session${security === "tls" ? ", TLS" : ""}`,
    unit: "KiB",
    target: { of: "nginx", atMost },
    proxies: ONE_WORKER,
    kind: "fresh",
    async measure({ programs, ms }, { pid, ports }) {
      const port = ports[security === "tls" ? "imaps" : "imap"];
      const load = { protocol: "imap", security, deed: "exchanges" } as const;
      const first = await Clients.open(programs, port, { ...load, deed: "sessions", count: 8 });
      await first.work(300);
      await first.close();
      await pause(ms);
      const before = await memory(pid);
      const clients = await Clients.open(programs, port, { ...load, count: SESSIONS });
      try {
        await pause(ms * SETTLING);
        return ((await memory(pid)) - before) / SESSIONS;
      } finally {
        await clients.close();
      }
    },
  };
}
