// A directory of its own for each fixture, readable by the accounts that mail servers run as.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Scratch = { readonly path: string; remove: () => Promise<void> };

export async function makeScratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), "postern-"));
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
