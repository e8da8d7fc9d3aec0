// A directory of its own for each fixture, readable by the accounts that mail servers run as.
import { chmod, glob, lstat, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertTellsNoSecret } from "./secrets.ts";

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
    if ((await lstat(path)).isFile()) assertTellsNoSecret(path, await readFile(path, "utf8"));
  }
}
