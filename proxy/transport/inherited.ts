/** Listening sockets that another process has bound, and that this process has had from its start. */
import { fstatSync, readFileSync } from "node:fs";
import { canonicalIp } from "../../shared/address.ts";
import type { Address } from "./connection.ts";
import { type BoundSocket, handleOf } from "./listen.ts";

export interface InheritedSocket {
  /** Null where the system does not tell. */
  readonly address: Address | null;
  readonly socket: BoundSocket;
}

/**
 * Takes over a descriptor, which the socket closes from now on.
 *
 * @returns null for a descriptor that is no stream socket, and stays as it is
 */
export function inherit(fd: number): InheritedSocket | null {
  const inode = inodeOfSocket(fd);
  const handle = inode === null ? null : handleOf(fd);
  if (handle === null) return null;
  if (handle.getsockname === undefined) return { address: unixAddress(inode), socket: handle };
  const name: { address?: string; port?: number } = {};
  handle.getsockname(name);
  const host = canonicalIp(name.address ?? "");
  const address = host === null || name.port === undefined ? null : { host, port: name.port };
  return { address, socket: handle };
}

function inodeOfSocket(fd: number): number | null {
  try {
    const stat = fstatSync(fd);
    return stat.isSocket() ? stat.ino : null;
  } catch {
    return null;
  }
}

/** Node cannot ask for the path of a unix socket; Linux has a table of them. */
function unixAddress(inode: number | null): Address | null {
  for (const line of unixSockets()) {
    const [, number, path] = /^(?:\S+ +){6}(\d+) (.+)$/.exec(line) ?? [];
    if (path !== undefined && Number(number) === inode) return { host: `unix:${path}`, port: 0 };
  }
  return null;
}

function unixSockets(): readonly string[] {
  try {
    return readFileSync("/proc/self/net/unix", "utf8").split("\n");
  } catch {
    return [];
  }
}
