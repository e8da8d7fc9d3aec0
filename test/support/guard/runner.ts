// Gives each test file a limited time, and refuses a path that matches no file. Node's own limits are for single tests,
// and need an event loop that turns; a path that matches nothing is a success to Node.
import { type ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { globSync } from "node:fs";
import { relative } from "node:path";
import { watchChildren } from "../programs/watchdog.ts";

/** ms. A file takes half a minute; on a machine with much else to do, two minutes. */
const LIMIT = Number(process.env["TEST_FILE_TIMEOUT"] ?? 420_000);

/**
 * The test runner calls this before it starts the first file.
 *
 * @throws Error for a path or pattern of the command line that matches no file
 */
export function globalSetup(): void {
  for (const pattern of process.argv.slice(1)) {
    if (globSync(pattern).length === 0) throw new Error(`no test file matches ${pattern}`);
  }
  watchChildren();
  subscribe("child_process", (message) => {
    const { process: child } = message as { process: ChildProcess };
    child.once("spawn", () => limit(child));
  });
}

function limit(child: ChildProcess): void {
  const file = child.spawnargs.at(-1) ?? "";
  if (!file.endsWith(".test.ts")) return;
  const timer = setTimeout(() => {
    const name = relative(process.cwd(), file);
    console.error(`${name} has not ended within ${LIMIT / 1000} s and is killed`);
    child.kill("SIGKILL");
  }, LIMIT);
  child.once("exit", () => clearTimeout(timer));
}
