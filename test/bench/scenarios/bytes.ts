// CPU time of bytes that are passed on. nginx has its default of 4 KiB buffers.
import { cost } from "../measure/cost.ts";
import type { Security } from "../processes/client.ts";
import { TRANSFER } from "../processes/load-messages.ts";
import type { Scenario } from "../scenario.ts";

const MEGABYTES = TRANSFER / (1 << 20);

export const bytes: readonly Scenario[] = [
  transfer("download", "clear", 1, 0.7),
  transfer("download", "clear", 16, 0.7),
  transfer("upload", "clear", 1, 0.7),
  transfer("upload", "clear", 16, 0.7),
  transfer("download", "tls", 16, 0.65),
  transfer("upload", "tls", 16, 1.7),
];

function transfer(
  deed: "download" | "upload",
  security: Security,
  count: number,
  atMost: number,
): Scenario {
  const clear = security === "clear";
  return {
    name: `bytes, ${deed}, ${count} at once${clear ? "" : ", TLS in, clear out"}`,
    unit: "µs CPU/MiB",
    target: { atMost },
    async measure(round) {
      const { load, rival } = round;
      const port = rival.doors[clear ? "imap" : "imaps"];
      await load.logIn({ port, protocol: "imap", security }, count);
      return (await cost(round, deed)) / MEGABYTES;
    },
  };
}
