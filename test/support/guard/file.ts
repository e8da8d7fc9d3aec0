// Loaded into the process of each test file. Ends the process soon after its tests: a server that a failed hook has
// left running would keep it for ever.
import { enableCompileCache } from "node:module";
import { relative } from "node:path";
import { after } from "node:test";
import { compileCache } from "../programs/compile-cache.ts";
import { runningCommands, watchChildren } from "../programs/watchdog.ts";

/** From the first hook behind the tests until the process must have ended by itself, ms. */
const GRACE = Number(process.env["TEST_END_TIMEOUT"] ?? 30_000);

const [, script = ""] = process.argv;
// Processes that a test forks load this file as well.
if (script.endsWith(".test.ts")) {
  enableCompileCache(compileCache);
  watchChildren();
  after(() => {
    setTimeout(() => fail(relative(process.cwd(), script)), GRACE).unref();
  });
}

function fail(file: string): void {
  const open = new Set([...runningCommands(), ...process.getActiveResourcesInfo()]);
  // The standard streams are always open, and the programs are named already.
  for (const stream of ["PipeWrap", "ProcessWrap"]) open.delete(stream);
  console.error(`${file} has run its tests and does not end: ${[...open].join(", ")}`);
  process.exit(1);
}
