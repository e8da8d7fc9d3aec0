/** Sessions as a table for people: a line each. */
import { formatAddress } from "../../../shared/address.ts";
import type { ListedSession } from "../../observe/index.ts";
import { printable } from "../../observe/line.ts";

type Column = readonly [title: string, value: (session: ListedSession) => string];

const COLUMNS: readonly Column[] = [
  ["USER", ({ user, auth_user: as }) => `${user ?? "-"}${as === null ? "" : ` as ${as}`}`],
  [
    "CLIENT",
    ({ remote_addr, remote_port }) => formatAddress({ host: remote_addr, port: remote_port }),
  ],
  ["PROTOCOL", ({ protocol }) => protocol],
  ["STATE", ({ state }) => state],
  ["TLS", ({ ssl_protocol }) => ssl_protocol ?? "-"],
  ["UPSTREAM", ({ upstream_addr }) => upstream_addr ?? "-"],
  ["AGE", ({ session_time }) => age(session_time)],
  ["RECEIVED", ({ bytes_received }) => size(bytes_received)],
  ["SENT", ({ bytes_sent }) => size(bytes_sent)],
];

/** The oldest session comes first. Names that clients have chosen are shown without control characters. */
export function table(sessions: readonly ListedSession[]): string {
  const rows = sessions
    .toSorted((one, other) => other.session_time - one.session_time)
    .map((session) => COLUMNS.map(([, value]) => printable(value(session))));
  const all = [COLUMNS.map(([title]) => title), ...rows];
  const widths = COLUMNS.map((_, column) => widest(all, column));
  const lines = all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  return lines.map((cells) => `${cells.join("  ").trimEnd()}\n`).join("");
}

function widest(rows: readonly (readonly string[])[], column: number): number {
  return rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0);
}

const SECONDS = { d: 86_400, h: 3600, m: 60, s: 1 };

/** A time in its two largest units: `3d4h`, `1h2m`, `42s`. */
export function age(seconds: number): string {
  let left = Math.floor(seconds);
  const parts: string[] = [];
  for (const [unit, length] of Object.entries(SECONDS)) {
    const count = Math.floor(left / length);
    left %= length;
    if (count > 0 || parts.length > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join("") || "0s";
}

/** A number of bytes: `999`, `1.5K`, `20M`. */
export function size(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), 4);
  const shown = bytes / 1024 ** power;
  return power === 0 ? `${bytes}` : `${shown.toFixed(shown < 9.95 ? 1 : 0)}${" KMGT"[power]}`;
}
