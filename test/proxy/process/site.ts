// Postern's command, run in a directory that holds a configuration.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { posternEntry } from "../../support/real-servers/index.ts";
import { type End, Program, run } from "../../support/programs/program.ts";
import { makeScratch } from "../../support/programs/scratch.ts";

export type Files = Readonly<Record<string, string>>;

/** A directory that holds these files, `mail.conf` among them, as long as the test runs. */
export async function makeSite(t: TestContext, files: Files): Promise<string> {
  const { path, remove } = await makeScratch();
  t.after(remove);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

function words(site: string, args: readonly string[]): string[] {
  return [posternEntry, "-p", site, "-c", "mail.conf", ...args];
}

/** Runs the command to its end. */
export function postern(site: string, ...args: string[]): ReturnType<typeof run> {
  return run(process.execPath, words(site, args));
}

/** Starts it, to be ended with the test. */
export function start(t: TestContext, site: string, ...args: string[]): Program {
  const program = new Program(process.execPath, words(site, args));
  t.after(() => program.stop());
  return program;
}

/** Starts it, and returns how it ended without having served. */
export async function refusedStart(
  t: TestContext,
  site: string,
): Promise<{ end: End; stderr: string }> {
  const program = start(t, site, "-g", "error_log stderr notice;");
  const serving = program.logs(/start worker process/).then(
    () => true,
    () => false,
  );
  if (await serving) throw new Error(`it serves: ${program.lastLines()}`);
  return { end: await program.ended, stderr: program.stderr };
}
