// Reads the TCP keep-alive timers of the kernel.
import { readFileSync } from "node:fs";
import type { Connection } from "../../../proxy/transport/index.ts";

export const noLinux = process.platform === "linux" ? false : "only Linux can be asked";

/** Seconds until the kernel's first probe of a connection over 127.0.0.1, or null for none. */
export function firstProbe({ local, remote }: Pick<Connection, "local" | "remote">): number | null {
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n");
  const wanted = `: ${kernelAddress(local.port)} ${kernelAddress(remote.port)} `;
  const line = lines.find((one) => one.includes(wanted));
  const [, timer, when = ""] = / (\d\d):([0-9A-F]{8}) /.exec(line ?? "") ?? [];
  return timer === "02" ? Number.parseInt(when, 16) / 100 : null;
}

function kernelAddress(port: number): string {
  return `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}
