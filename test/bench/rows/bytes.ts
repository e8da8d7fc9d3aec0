/** CPU time of bytes that are passed on. nginx has its default buffers of 4 or 8 KiB. */
import { type Deed, TRANSFER } from "../client.ts";
import { ONE_WORKER, type Row, type Target, measureWork } from "../row.ts";

const MEBIBYTES = TRANSFER / (1 << 20);

const TARGET: Target = { of: "floor", atMost: 1.1 };

export const bytes: readonly Row[] = [
  transfer("downloads", "clear", 1),
  transfer("downloads", "clear", 16),
  transfer("uploads", "clear", 1),
  transfer("uploads", "clear", 16),
  transfer("downloads", "tls", 1),
  transfer("uploads", "tls", 1),
];

function transfer(
  deed: Exclude<Deed, "sessions" | "exchanges">,
  security: "clear" | "tls",
  count: number,
): Row {
  const direction = deed === "downloads" ? "down" : "up";
  return {
    name: `bytes ${direction}, ${count} at once${security === "tls" ? ", TLS" : ""}`,
    unit: "µs CPU/MiB",
    target: TARGET,
    proxies: ONE_WORKER,
    kind: "running",
    async measure(bench, proxy) {
      const server = security === "tls" ? "imaps" : "imap";
      const load = { protocol: "imap", security, deed, count } as const;
      const { cpu, deeds } = await measureWork(bench, proxy, server, load);
      return (cpu * 1000) / deeds / MEBIBYTES;
    },
  };
}
