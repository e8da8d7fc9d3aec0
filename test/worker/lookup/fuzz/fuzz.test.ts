// Some thousand lookups, most of them hostile.
import assert from "node:assert/strict";
import { type TestContext, after, before, test } from "node:test";
import fc from "fast-check";
import { sql } from "drizzle-orm";
import { SEED, inputs } from "../../../support/property.ts";
import { SEALING, seed as fill } from "../../../support/worker/directory.ts";
import { type RawAnswer, RawCaller } from "../../../support/http/raw-http-client.ts";
import { type RunningWorker, startWorker } from "../../../support/worker/worker.ts";
import { assertContract } from "./contract.ts";
import { type GeneratedLookup, lookups } from "./lookups.ts";
import { CANARY, DIRECTORY } from "./people.ts";

/** Fewer callers than passwords may wait to be verified, so that none is answered busy. */
const CALLERS = 8;

let worker: RunningWorker;
const logged: string[] = [];
before(async () => {
  const vars = { FAILURES_PER_NETWORK: "10", SECRET_KEYS: SEALING };
  worker = await startWorker({ vars, log: (line) => void logged.push(line) });
  await fill(worker.db, DIRECTORY);
});
after(() => worker.dispose());

test("all replies follow the contract, and only correct credentials get OK", async (t) => {
  const tally = await ask(t, inputs(4).numRuns, SEED, (lookup, answer) => {
    assertContract(lookup, answer);
    if (lookup.right) assert.equal(answer.headers["auth-status"], "OK");
  });
  t.diagnostic(`answers: ${JSON.stringify(Object.fromEntries(tally))}`);
});

test("while the database fails no login succeeds, and none is refused permanently", async (t) => {
  await worker.db.run(sql`alter table users rename to gone`);
  try {
    await ask(t, inputs(10).numRuns, SEED + 1, (lookup, answer) => {
      assertContract(lookup, answer);
      const { status, headers } = answer;
      assert.notEqual(headers["auth-status"], "OK");
      if (lookup.right) assert.equal(status, 503);
      if (status === 200) assert.doesNotMatch(headers["auth-status"] ?? "", /login or password/);
    });
  } finally {
    await worker.db.run(sql`alter table gone rename to users`);
  }
});

test("while the database fails and recovers repeatedly, only correct credentials get OK", async (t) => {
  const over = new AbortController();
  const breaking = breakAndMend(over.signal);
  try {
    await ask(t, inputs(10).numRuns, SEED + 2, (lookup, answer) => {
      assertContract(lookup, answer);
      if (lookup.right) assert.ok(answer.headers["auth-status"] === "OK" || answer.status === 503);
    });
  } finally {
    over.abort();
    await breaking;
  }
});

async function breakAndMend(over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await worker.db.run(sql`alter table servers rename to gone`);
    await worker.db.run(sql`alter table gone rename to servers`);
  }
}

test("the worker's log contains no password and no stack trace", () => {
  assert.ok(logged.length > 0);
  for (const line of logged) {
    assert.ok(!line.toLowerCase().includes(CANARY), line);
    assert.doesNotMatch(line, /^\s+at |^stack/m);
  }
});

type Check = (lookup: GeneratedLookup, answer: RawAnswer) => void;

/** @returns the count of each kind of reply */
async function ask(t: TestContext, numRuns: number, seed: number, check: Check) {
  t.diagnostic(`POSTERN_TEST_SEED=${SEED}`);
  const waiting = fc.sample(lookups, { seed, numRuns });
  const tally = new Map<string, number>();
  const callers = Array.from({ length: CALLERS }, async () => {
    const caller = new RawCaller(worker.url);
    try {
      for (let lookup = waiting.pop(); lookup !== undefined; lookup = waiting.pop()) {
        const answer = await caller.ask(lookup);
        const kind = `${answer.status} ${answer.headers["auth-status"] ?? ""}`.trim();
        tally.set(kind, (tally.get(kind) ?? 0) + 1);
        explain(check, lookup, answer);
      }
    } catch (error) {
      // This ends the other callers too.
      waiting.length = 0;
      throw error;
    } finally {
      caller.close();
    }
  });
  await Promise.all(callers);
  return tally;
}

function explain(check: Check, lookup: GeneratedLookup, answer: RawAnswer): void {
  try {
    check(lookup, answer);
  } catch (cause) {
    throw new Error(`POSTERN_TEST_SEED=${SEED}\n${show(lookup)}\n${show(answer)}`, { cause });
  }
}

function show(value: object): string {
  return JSON.stringify(value, (_, part) =>
    typeof part === "string" && part.length > 300 ? `${part.slice(0, 300)}…` : part,
  );
}
