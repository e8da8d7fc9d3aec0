/**
 * Postern beside nginx with its mail module and beside the floor, the least that a proxy on Node's sockets can
 * do: the same upstream and lookup endpoint, one worker each, in turns. docs/benchmarks.md says how to read it.
 *
 *   npm run bench                   all rows, some eight minutes
 *   npm run bench -- --quick        all rows in some two minutes: shows that they run, and no more
 *   npm run bench -- imap memory    the rows that have one of these words in their name
 *   npm run bench -- --rounds 5 --seconds 2 "small exchange"
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Scratch, makeScratch } from "../support/programs/scratch.ts";
import { median } from "./median.ts";
import { compileAll, start } from "./native.ts";
import { NGINX_MODULE, type Proxy, type ProxyName, prepare, startProxy } from "./proxies.ts";
import { type Bench, type Proxies, type Row, measureWork } from "./row.ts";
import { rows } from "./rows/index.ts";
import { type Figures, heading, rowLine } from "./table.ts";

const { values, positionals } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    seconds: { type: "string" },
  },
  allowPositionals: true,
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const ms = Number(values.seconds ?? (values.quick ? 0.3 : 1)) * 1000;
/** ms of sessions that a proxy has before its first row: Postern and the floor are compiled while they run. */
const uptime = values.quick ? 1000 : 3000;

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const chosen = rows.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
if (chosen.length === 0) fail(`no row has ${positionals.join(" or ")} in its name`);
if (!(rounds >= 1 && ms >= 1)) fail("--rounds and --seconds are numbers above 0");
if (!existsSync(NGINX_MODULE))
  fail(`${NGINX_MODULE} is missing: install nginx and libnginx-mod-mail`);

const scratch = await makeScratch();
// The proxies' directories are inside, so that an interrupted run leaves none.
process.env["TMPDIR"] = scratch.path;
process.once("exit", () => rmSync(scratch.path, { recursive: true, force: true }));
// All starts share a compile cache that no earlier version of the code has filled.
process.env["XDG_CACHE_HOME"] = join(scratch.path, "cache");
try {
  await benchmark(scratch);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await scratch.remove();
}

async function benchmark({ path: programs }: Scratch): Promise<void> {
  compileAll(programs);
  const upstream = start(programs, "upstream", []);
  const endpoint = Number((await upstream.line()).split(" ")[3]);
  const bench: Bench = {
    programs,
    ms,
    warmUp: ms / 5,
    prepare: (name) => prepare(name, endpoint),
  };
  const running = new Map<ProxyName, Proxy>();
  const get = async (name: ProxyName): Promise<Proxy> => {
    const known = running.get(name);
    if (known !== undefined) return known;
    const proxy = await startProxy(name, endpoint);
    running.set(name, proxy);
    await warmUp(bench, proxy);
    return proxy;
  };
  try {
    console.log(heading);
    for (const row of chosen) {
      const measure = (name: ProxyName): Promise<number> =>
        measureOne(row, bench, name, get, endpoint);
      console.log(rowLine(row, await compare(row, measure)));
    }
  } finally {
    for (const proxy of running.values()) await proxy.stop();
    await upstream.stop();
  }
}

async function measureOne(
  row: Row,
  bench: Bench,
  name: ProxyName,
  get: (name: ProxyName) => Promise<Proxy>,
  endpoint: number,
): Promise<number> {
  if (row.kind === "command") return row.measure(bench, name);
  if (row.kind === "running") return row.measure(bench, await get(name));
  const proxy = await startProxy(name, endpoint);
  try {
    return await row.measure(bench, proxy);
  } finally {
    await proxy.stop();
  }
}

/** The median of the rounds, in each of which all proxies take their turn. */
async function compare(
  { proxies, kind }: Row,
  measure: (name: ProxyName) => Promise<number>,
): Promise<Figures> {
  const names = Object.entries(proxies) as [keyof Proxies, ProxyName][];
  const figures = new Map<keyof Proxies, number[]>(names.map(([role]) => [role, []]));
  for (let round = 0; round < (kind === "fresh" ? 1 : rounds); round++) {
    for (const [role, name] of names) figures.get(role)?.push(await measure(name));
  }
  const medians = [...figures].map(([role, all]) => [role, median(all)]);
  return Object.fromEntries(medians) as Figures;
}

async function warmUp(bench: Bench, proxy: Proxy): Promise<void> {
  for (const server of ["imap", "imaps"] as const) {
    const security = server === "imaps" ? "tls" : "clear";
    const load = { protocol: "imap", security, deed: "sessions", count: 32 } as const;
    await measureWork({ ...bench, warmUp: 0, ms: uptime / 2 }, proxy, server, load);
  }
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
