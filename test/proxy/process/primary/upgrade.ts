// Binary upgrades by SIGUSR2. New primaries end with the test.
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import type { Program } from "../../../support/programs/program.ts";
import { type Service, serve } from "../service.ts";

export type UpgradableService<Name extends string> = Service<Name> & {
  /** Sends SIGUSR2, and returns the new primary's pid once it serves. */
  readonly upgrade: () => Promise<number>;
};

/** As `serve`. */
export async function serveUpgradable<Name extends string>(
  t: TestContext,
  servers: Readonly<Record<Name, string>>,
  main = "",
  mail = "",
): Promise<UpgradableService<Name>> {
  const upgrader = upgrades(t);
  const service = await serve(t, servers, main, mail);
  return { ...service, upgrade: upgrader(service.program) };
}

/** To be called before the program starts, since its output ends only after that of the new primaries. */
export function upgrades(t: TestContext): (program: Program) => () => Promise<number> {
  const programs: Program[] = [];
  t.after(() => programs.flatMap(newPrimaries).forEach(end));
  return (program) => {
    programs.push(program);
    return () => upgrade(program);
  };
}

async function upgrade(program: Program): Promise<number> {
  const times = newPrimaries(program).length + 1;
  program.signal("SIGUSR2");
  await program.logs(/start new binary process \d+$/, times);
  const pid = newPrimaries(program).at(-1)!;
  await program.logs(new RegExp(` ${pid}#${pid}: start worker process`));
  return pid;
}

/** The pids of all new primaries. */
function newPrimaries({ stderr }: Program): number[] {
  return [...stderr.matchAll(/start new binary process (\d+)$/gm)].map(([, pid]) => Number(pid));
}

/** Ends a new primary, unless the pid is that of another process by now. */
function end(pid: number): void {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    if (command.includes("proxy/main.ts")) process.kill(pid);
  } catch {
    // It has ended.
  }
}
