/** CPU time of a small exchange: a line there and a line back. */
import { ONE_WORKER, type Row, measureWork } from "../row.ts";

const COUNT = 64;

export const exchanges: Row = {
  name: `small exchange, ${COUNT} sessions`,
  unit: "µs CPU",
  target: { of: "floor", atMost: 1.1 },
  proxies: ONE_WORKER,
  kind: "running",
  async measure(bench, proxy) {
    const load = { protocol: "imap", security: "clear", deed: "exchanges", count: COUNT } as const;
    const { cpu, deeds } = await measureWork(bench, proxy, "imap", load);
    return (cpu * 1000) / deeds;
  },
};
