/** The cost of a start: `-t`, the first greeting, and the memory before the first session. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Program, run } from "../../support/programs/program.ts";
import { endedChildrenCpu, memory } from "../../support/programs/process-tree.ts";
import type { ServerPorts } from "../configuration.ts";
import { ONE_WORKER, type Row } from "../row.ts";

/** Tests of a configuration in one measurement: the kernel counts a child's CPU in ticks of 10 ms. */
const TESTS = 4;

const { floor: _, ...WITHOUT_FLOOR } = ONE_WORKER;

export const starts: readonly Row[] = [
  {
    name: "memory at rest, primary and one worker",
    unit: "MB",
    target: { of: null, atMost: 110 },
    proxies: ONE_WORKER,
    kind: "fresh",
    async measure({ ms }, { pid }) {
      await pause(ms);
      return ((await memory(pid)) * 1024) / 1e6;
    },
  },
  {
    name: "CPU of -t",
    unit: "ms",
    target: { of: null, atMost: 300 },
    proxies: WITHOUT_FLOOR,
    kind: "command",
    async measure(bench, name) {
      const { command, scratch } = await bench.prepare(name);
      const [file, args] = command;
      try {
        // The first run fills the compile cache.
        const { end, stderr } = await run(file, [...args, "-t"]);
        if (end !== 0) throw new Error(stderr);
        const before = await endedChildrenCpu();
        for (let count = 0; count < TESTS; count++) await run(file, [...args, "-t"]);
        return ((await endedChildrenCpu()) - before) / TESTS;
      } finally {
        await scratch.remove();
      }
    },
  },
  {
    name: "from the start to the first greeting",
    unit: "ms",
    target: { of: null, atMost: 700 },
    proxies: ONE_WORKER,
    kind: "command",
    async measure(bench, name) {
      const { command, ports, scratch } = await bench.prepare(name);
      try {
        await timeToGreeting(command, ports);
        return await timeToGreeting(command, ports);
      } finally {
        await scratch.remove();
      }
    },
  },
];

async function timeToGreeting(
  command: readonly [file: string, args: readonly string[]],
  { imap }: ServerPorts,
): Promise<number> {
  const start = performance.now();
  const program = new Program(...command);
  try {
    await Promise.race([
      greeting(imap),
      program.ended.then(() => {
        throw new Error(program.lastLines());
      }),
    ]);
    return performance.now() - start;
  } finally {
    await program.stop();
  }
}

/** Tries until a server greets. */
async function greeting(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "data");
      return;
    } catch {
      await pause(5);
    } finally {
      socket.destroy();
    }
  }
}
