// `npm start`: the whole of Postern on this machine, until Ctrl-C.
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { run } from "../support/program.ts";
import { notInstalled, proxyEnded } from "./failure.ts";
import { readOptions } from "./options.ts";
import { screen } from "./welcome.ts";

const interruption = Promise.withResolvers<"interrupted">();
// A second Ctrl-C changes nothing: everything is ending already.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => interruption.resolve("interrupted"));
}

try {
  const options = readOptions(process.argv.slice(2));
  // Half of the time of a start goes into compiling its tools; the proxy has its share of the cache.
  process.env["NODE_COMPILE_CACHE"] = join(options.state, "compiled");
  enableCompileCache(process.env["NODE_COMPILE_CACHE"]);
  const { startDemo } = await import("./demo.ts").catch(notInstalled);
  const starting = startDemo(options);
  // What has started by then ends with this process.
  if ((await Promise.race([starting, interruption.promise])) === "interrupted") process.exit();
  await using demo = await starting;
  const curl = await run("curl", ["--version"]);
  console.log(screen(demo.where, curl.end === 0));
  demo.proxy.echo(process.stderr);
  const died = demo.proxy.ended.then(() => "died" as const);
  if ((await Promise.race([interruption.promise, died])) === "died") throw proxyEnded(demo.proxy);
} catch (error) {
  console.error(`npm start: ${(error as Error).message}`);
  process.exitCode = 1;
}
process.exit();
