// Mail programs at work while everything around them and Postern itself fails: a ledger has what each was told.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../support/eventually.ts";
import { lacking } from "../../support/programs/requirements.ts";
import { FAULTS, happen } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { Programs, everyoneIsServed } from "./programs.ts";
import { DEADLINE, type Site, WORKERS, startSite } from "./site.ts";

/** Set by `npm run hostile`: how often all faults happen, and how many mail programs are at work. */
const ROUNDS = Number(process.env["FAULT_ROUNDS"] ?? 1);
const PROGRAMS = Number(process.env["FAULT_PROGRAMS"] ?? 100);
/** ms from one fault to the next. */
const RESPITE = 300;
/** The permitted share of the memory after the same logins without faults: compiled code and V8's heap differ so much. */
const GROWTH = 1.4;

const skip = lacking("tinyproxy", "dante");

/** The memory of the primary, and of the worker that holds most. */
interface Holding {
  readonly descriptors: readonly [primary: number, worker: number];
  /** KiB of each process's own. */
  readonly memory: readonly [primary: number, worker: number];
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function memory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Private_Dirty: +(\d+) kB/m.exec(text)?.[1]);
}

async function holding(site: Site): Promise<Holding> {
  const workers = await site.workers();
  const [primary, most] = [site.primary(), (of: typeof memory) => Math.max(...workers.map(of))];
  return {
    descriptors: [descriptors(primary), most(descriptors)],
    memory: [memory(primary), most(memory)],
  };
}

/** Waits until Postern has no more descriptors open than before. Connections kept for lookups end with the endpoint. */
async function settled(site: Site, before: Holding): Promise<Holding> {
  await site.endpoint.kill();
  return eventually(`${WORKERS} workers have ${before.descriptors[1]} descriptors`, async () => {
    if ((await site.workers()).length !== WORKERS) return null;
    const now = await holding(site);
    return now.descriptors.every((count, index) => count <= before.descriptors[index]!) && now;
  });
}

test(
  `while ${FAULTS.length} faults happen, ${PROGRAMS} mail programs at a time hear nothing wrong and nothing late, and Postern then holds no more than before`,
  { skip },
  async (t) => {
    const ledger = new Ledger();
    const site = await startSite(t, (address) => ledger.damaged.push(address));
    const fresh = await holding(site);
    await everyoneIsServed(site, ledger);
    const before = await settled(site, fresh);
    await site.endpoint.restart();
    const programs = new Programs(PROGRAMS, site.doors, ledger);
    for (let round = 0; round < ROUNDS; round++) {
      for (const fault of FAULTS) {
        await pause(RESPITE);
        await happen(fault, site, ledger);
      }
    }
    await programs.stop();
    await everyoneIsServed(site, ledger);
    const after = await settled(site, fresh);
    for (const server of site.mailServers) await server.kill();

    const counts = (["granted", "refused", "unavailable", "cut"] as const).map(
      (told) => `${ledger.count(told)} ${told}`,
    );
    t.diagnostic(`${ledger.visits.length} sessions: ${counts.join(", ")}`);
    t.diagnostic(JSON.stringify({ fresh, before, after }));
    for (const told of ["granted", "refused", "unavailable"] as const) {
      assert.ok(ledger.count(told) > 0, `none was told ${told}`);
    }
    const unseen = ledger.outages.filter((outage) => ledger.during(outage) === 0);
    assert.deepEqual(unseen, [], "no mail program was there");
    assert.deepEqual(ledger.violations(DEADLINE).slice(0, 20), []);
    assert.doesNotMatch(site.program.stderr, /\[(?:emerg|crit)\]|fault:/);
    for (const [index, most] of before.memory.entries()) {
      assert.ok(after.memory[index]! <= GROWTH * most, "memory has grown");
    }
  },
);
