// `npm start`: runs all of Postern on this machine until Ctrl-C.
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { run } from "../support/programs/program.ts";
import { notInstalled, proxyEnded } from "./failure.ts";
import { readOptions } from "./options.ts";
import { welcome } from "./welcome.ts";

const interruption = Promise.withResolvers<"interrupted">();
// A second Ctrl-C changes nothing: everything is ending already.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => interruption.resolve("interrupted"));
}
if (process.env["npm_lifecycle_event"] === "start") endWithParent();

try {
  const options = readOptions(process.argv.slice(2));
  // Compiling the tools takes half of the time of a start. The proxy uses the same cache.
  process.env["NODE_COMPILE_CACHE"] = join(options.state, "compiled");
  enableCompileCache(process.env["NODE_COMPILE_CACHE"]);
  const { startDemo } = await import("./demo.ts").catch(notInstalled);
  const starting = startDemo(options);
  // The watchdog ends what has started by then.
  if ((await Promise.race([starting, interruption.promise])) === "interrupted") process.exit();
  await using demo = await starting;
  const curl = await run("curl", ["--version"]);
  console.log(welcome(demo.ports, curl.end === 0));
  demo.proxy.echo(process.stderr);
  const died = demo.proxy.ended.then(() => "died" as const);
  if ((await Promise.race([interruption.promise, died])) === "died") throw proxyEnded(demo.proxy);
} catch (error) {
  console.error(`npm start: ${(error as Error).message}`);
  process.exitCode = 1;
}
process.exit();

/** npm passes SIGTERM on, but cannot pass on a SIGKILL. */
function endWithParent(): void {
  const { ppid } = process;
  const check = (): void => {
    if (process.ppid !== ppid) interruption.resolve("interrupted");
  };
  setInterval(check, 500).unref();
}
