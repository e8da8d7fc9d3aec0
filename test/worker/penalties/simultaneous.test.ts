/** Attempts at the same moment, in any order in which the Durable Objects may meet and answer them. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import {
  type AttemptResult,
  countAttempt,
  type LoginSource,
} from "../../../worker/penalties/attempts.ts";
import type { FailureCounter, FailureCounters } from "../../../worker/penalties/counter.ts";
import { penaltyLimits } from "../../../worker/penalties/limits.ts";
import { permittedIn } from "../../../worker/penalties/networks.ts";
import { PenaltyStore } from "../../../worker/penalties/store.ts";
import { MemoryCounters } from "../../support/worker/counters.ts";
import { SEED } from "../../support/property.ts";

mock.method(console, "warn", () => {});

const LIMITS = {
  ...penaltyLimits({} as Parameters<typeof penaltyLimits>[0]),
  account: 3,
  user: 5,
  networks: { 32: 4, 24: 9, 64: 4, 56: 6, 48: 9 },
};

/** Delays each call on its way to the object, and each answer on its way back, by turns of the scheduler. */
function delayed(counters: FailureCounters, scheduler: fc.Scheduler): FailureCounters {
  const later = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    await scheduler.schedule(Promise.resolve());
    const answer = await work();
    await scheduler.schedule(Promise.resolve());
    return answer;
  };
  return {
    getByName(name): FailureCounter {
      const counter = counters.getByName(name);
      return {
        ...counter,
        tally: (...args) => later(() => counter.tally(...args)),
        retract: (...args) => later(() => counter.retract(...args)),
      };
    },
  };
}

const networks = fc
  .tuple(fc.nat(1), fc.nat(2), fc.nat(2))
  .map(([wide, middle, narrow]) => [
    `2001:db8:${wide}:${middle}:${narrow}/64`,
    `2001:db8:${wide}:${middle}/56`,
    `2001:db8:${wide}/48`,
  ]);

const attempts = fc.record({
  source: fc.record({
    account: fc.option(
      fc.record({ user: fc.constantFrom("anna", "bert"), login: fc.constantFrom("a", "b", "c") }),
      { freq: 8 },
    ),
    networks,
    known: fc.boolean(),
  }) satisfies fc.Arbitrary<LoginSource>,
  result: fc.constantFrom<AttemptResult[]>("failed", "failed", "failed", "succeeded", "uncounted"),
});

test("of simultaneous attempts in any order, no count answers more failures than it permits", async () => {
  let [answered, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(attempts, { minLength: 10, maxLength: 60 }),
      async (scheduler, all) => {
        const counters = delayed(new MemoryCounters(() => 1_000_000_000), scheduler);
        const verdicts = Promise.all(
          all.map(async ({ source, result }) => {
            // Each attempt is another isolate's, so that no cache refuses it.
            const options = { cache: new Map<string, true>(), timeout: 60_000 };
            const store = new PenaltyStore(counters, LIMITS, () => {}, options);
            const known = source.known && source.account !== null;
            return {
              source: { ...source, known },
              result,
              ...(await countAttempt(store, source, result)),
            };
          }),
        );
        await scheduler.waitFor(verdicts);
        await scheduler.waitIdle();
        const told = (await verdicts).filter(
          ({ result, blocked }) => result === "failed" && !blocked,
        );
        answered += told.length;
        refused += (await verdicts).filter(({ blocked }) => blocked).length;
        const strangers = told.filter(({ source: { known } }) => !known);
        const acquaintances = told.filter(({ source: { known } }) => known);
        const named = strangers.filter(({ source: { account } }) => account !== null);
        check(
          named,
          ({ account }) => JSON.stringify(account),
          () => LIMITS.account,
        );
        check(
          named,
          ({ account }) => account!.user,
          () => LIMITS.user,
        );
        check(
          acquaintances,
          (source) => JSON.stringify([source.account, source.networks[0]]),
          () => LIMITS.account,
        );
        check(
          told,
          (source) => source.networks[0]!,
          (name) => permittedIn(name, LIMITS),
        );
        for (const width of [1, 2]) {
          check(
            strangers,
            (source) => source.networks[width]!,
            (name) => permittedIn(name, LIMITS),
          );
        }
      },
    ),
    { numRuns: 300, seed: SEED },
  );
  const share = refused / (answered + refused);
  assert.ok(share > 0.1 && share < 0.9, `${share} of the attempts were refused`);
});

function check(
  told: readonly { readonly source: LoginSource }[],
  nameOf: (source: LoginSource) => string,
  permitted: (name: string) => number,
): void {
  for (const [name, group] of Map.groupBy(told, ({ source }) => nameOf(source))) {
    assert.ok(group.length <= permitted(name), `${group.length} for ${name}`);
  }
}
