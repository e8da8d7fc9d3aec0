// Postern beside stock nginx with its mail module: one worker each, the same upstream, the same lookup
// endpoint, one run. What counts is the ratio; the target is the one for the portable transport in
// design.md, "Numbers to live up to".
//
//   npm run bench                   everything, two to three minutes
//   npm run bench -- --quick        everything in half a minute: does it run, and what is the order of things
//   npm run bench -- imap memory    what has one of these words in its name
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { makeScratch } from "../support/scratch.ts";
import { type Pace, compare, compareFresh } from "./compare.ts";
import { Load } from "./load.ts";
import { Child } from "./processes/child.ts";
import type { EndpointPorts } from "./processes/endpoint.ts";
import type { MailPorts } from "./processes/upstream.ts";
import { type Rival, startRival } from "./rival.ts";
import { writeRsaCertificate } from "./rsa-certificate.ts";
import type { Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios/index.ts";
import { heading, line } from "./table.ts";
import { warmUp } from "./warm-up.ts";

const thorough: Pace = { uptime: 5000, rounds: 5, ms: 400, warmUp: 500 };
const quick: Pace = { uptime: 1000, rounds: 2, ms: 100, warmUp: 100 };

const MODULE = "/usr/lib/nginx/modules/ngx_mail_module.so";

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
  allowPositionals: true,
});
const wanted = scenarios.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
if (wanted.length === 0) fail(`no benchmark has ${positionals.join(" or ")} in its name`);
if (!existsSync(MODULE)) fail(`no ${MODULE}: install nginx and libnginx-mod-mail`);
await run(wanted, values.quick ? quick : thorough);

async function run(chosen: readonly Scenario[], pace: Pace): Promise<void> {
  const scratch = await makeScratch();
  const load = new Load();
  const upstream = new Child<never, MailPorts>(new URL("processes/upstream.ts", import.meta.url));
  const ports = JSON.stringify(await upstream.reply());
  const endpoint = new Child<never, EndpointPorts>(
    new URL("processes/endpoint.ts", import.meta.url),
    [ports],
  );
  const places = {
    endpoint: await endpoint.reply(),
    rsa: await writeRsaCertificate(scratch.path),
  };
  const started: Rival[] = [];
  try {
    const nginx = await startRival("nginx", places);
    started.push(nginx);
    const postern = await startRival("postern", places);
    started.push(postern);
    await warmUp(postern, load, pace.uptime);

    console.log(heading);
    for (const scenario of chosen) {
      const comparison = scenario.fresh
        ? compareFresh(scenario, (name) => startRival(name, places), pace)
        : compare(scenario, { nginx, postern }, load, pace);
      console.log(line(await comparison));
    }
  } finally {
    const all = [load, endpoint, upstream, ...started];
    await Promise.all(all.map((each) => each.stop()));
    await scratch.remove();
  }
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
