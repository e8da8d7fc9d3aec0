// A directory of its own for each fixture, readable by the accounts that mail servers run as.
import { createReadStream } from "node:fs";
import { chmod, glob, lstat, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertTellsNoSecret } from "../secrets.ts";

/** Bytes. */
const PIECE = 1 << 24;

export type Scratch = {
  readonly path: string;
  /** Rejects where a log in there tells a secret. */
  remove: () => Promise<void>;
};

export async function makeScratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), "postern-"));
  await chmod(path, 0o755);
  return {
    path,
    remove: async () => {
      try {
        await readLogs(path);
      } finally {
        await rm(path, { recursive: true, force: true });
      }
    },
  };
}

async function readLogs(directory: string): Promise<void> {
  for await (const name of glob("**/*.log*", { cwd: directory })) {
    const path = join(directory, name);
    if ((await lstat(path)).isFile()) await readLog(path);
  }
}

/** A log of a million sessions is longer than a string may be, so it is read in pieces that end with a line. */
async function readLog(path: string): Promise<void> {
  let rest = "";
  for await (const piece of createReadStream(path, { encoding: "utf8", highWaterMark: PIECE })) {
    const text = `${rest}${String(piece)}`;
    const end = text.lastIndexOf("\n") + 1;
    assertTellsNoSecret(path, text.slice(0, end));
    rest = text.slice(end);
  }
  assertTellsNoSecret(path, rest);
}
