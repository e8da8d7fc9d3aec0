/** Run by `lossy-network.test.ts` in a network namespace of its own: mail programs and mail servers behind a bad network. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { NativeProgram, compile } from "../../support/programs/native.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { Ledger } from "./ledger.ts";
import { Programs, everyoneIsServed } from "./programs.ts";
import { DEADLINE, startSite } from "./site.ts";

/** Set by `npm run hostile`: ms that mail programs are at work before and after the cut. */
const TIME = Number(process.env["LOSSY_TIME"] ?? 1500);
const PROGRAMS = 60;
/** Percent of the packets, and ms. */
const [LOSS, DELAY, JITTER] = [2, 6, 5];
/** ms without any packet: shorter than `login_timeout`, longer than `proxy_connect_timeout`. */
const CUT = 2500;

/** Addresses as `lossy-link.c` has them. */
const NETWORK = { host: "10.9.0.2", listen: "0.0.0.0", outbound: false };

test(`with ${LOSS} % of packets lost`, async (t) => {
  const scratch = await makeScratch();
  t.after(scratch.remove);
  const path = join(scratch.path, "lossy-link");
  compile(path, [fileURLToPath(new URL("lossy-link.c", import.meta.url))]);
  const link = new NativeProgram(path, [LOSS, DELAY, JITTER]);
  t.after(() => link.stop());
  assert.equal(await link.line(), "ready");

  const ledger = new Ledger();
  const site = await startSite(t, (address) => ledger.damaged.push(address), NETWORK);
  const programs = new Programs(PROGRAMS, site.doors, ledger);
  await pause(TIME);
  const from = performance.now();
  link.signal("SIGUSR1");
  await pause(CUT);
  link.signal("SIGUSR1");
  ledger.outages.push({ name: "no network", cuts: false, from, to: performance.now() });
  await pause(TIME);
  await programs.stop();
  await everyoneIsServed(site, ledger);
  for (const server of site.mailServers) await server.kill();

  const counts = (["granted", "refused", "unavailable", "cut"] as const).map(
    (told) => `${ledger.count(told)} ${told}`,
  );
  t.diagnostic(`${ledger.visits.length} sessions: ${counts.join(", ")}`);
  assert.deepEqual(ledger.violations(DEADLINE).slice(0, 20), []);
  assert.doesNotMatch(site.program.stderr, /\[(?:emerg|crit)\]|fault:/);
});
