// The change of the program: SIGUSR2, and whoever it has started ends with the test.
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import type { Program } from "../../../support/program.ts";
import { type Service, serve } from "../service.ts";

export type Changing<Name extends string> = Service<Name> & {
  /** Sends SIGUSR2, and returns the new program's pid when that one serves. */
  readonly change: () => Promise<number>;
};

/** As `serve`. */
export async function serveChanging<Name extends string>(
  t: TestContext,
  servers: Readonly<Record<Name, string>>,
  main = "",
  mail = "",
): Promise<Changing<Name>> {
  const changer = changes(t);
  const service = await serve(t, servers, main, mail);
  return { ...service, change: changer(service.program) };
}

/** To be called before the program is there: its output ends only with that of its successors. */
export function changes(t: TestContext): (program: Program) => () => Promise<number> {
  const programs: Program[] = [];
  t.after(() => programs.flatMap(successors).forEach(end));
  return (program) => {
    programs.push(program);
    return () => change(program);
  };
}

async function change(program: Program): Promise<number> {
  const times = successors(program).length + 1;
  program.signal("SIGUSR2");
  await program.logs(/start new binary process \d+$/, times);
  const pid = successors(program).at(-1)!;
  await program.logs(new RegExp(` ${pid}#${pid}: start worker process`));
  return pid;
}

/** Each that was started, by its pid. */
function successors({ stderr }: Program): number[] {
  return [...stderr.matchAll(/start new binary process (\d+)$/gm)].map(([, pid]) => Number(pid));
}

/** Where it is still there: its pid may be somebody else's by now. */
function end(pid: number): void {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    if (command.includes("proxy/main.ts")) process.kill(pid);
  } catch {
    // It has ended.
  }
}
