/**
 * Everything that attackers, bad networks and bad days bring, turned on Postern.
 *
 *   npm run hostile                  all parts, at most 15 minutes
 *   npm run hostile -- long          all parts at full length: hours
 *   npm run hostile -- fuzz load     the parts of these names
 */
import { load } from "./load/index.ts";
import { globSync, readFileSync } from "node:fs";
import { type Length, type Outcome, type Part, runTests } from "./part.ts";

const PARTS: readonly Part[] = [
  {
    name: "attacks",
    run: (length) =>
      runTests(length, ["test/hostile/attacks/**/*.test.ts", "test/worker/hostile/*.test.ts"]),
  },
  {
    name: "fuzz",
    run: (length) =>
      runTests(length, propertyTests(), {
        POSTERN_TEST_INPUTS: length === "short" ? "25000" : "1000000",
      }),
  },
  {
    name: "explorer",
    run: (length) =>
      runTests(length, ["test/hostile/explorer/*.test.ts"], {
        POSTERN_TEST_SEEDS: length === "short" ? "100000" : "10000000",
      }),
  },
  {
    name: "faults",
    run: (length) =>
      runTests(length, ["test/hostile/faults/**/*.test.ts"], {
        FAULT_ROUNDS: length === "short" ? "3" : "100",
        FAULT_PROGRAMS: "200",
        LOSSY_TIME: length === "short" ? "10000" : "300000",
      }),
  },
  load,
];

// Each run tries other inputs and other orders; parts print the seed of a failure, and the variable repeats it.
process.env["POSTERN_TEST_SEED"] ??= String(Math.floor(Math.random() * 2 ** 31));
console.log(`POSTERN_TEST_SEED=${process.env["POSTERN_TEST_SEED"]}`);

const words = process.argv.slice(2);
const length: Length = words.includes("long") ? "long" : "short";
const names = words.filter((word) => word !== "long");
const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`no part is called ${unknown.join(" or ")}`);
  process.exit(2);
}

let failed = false;
for (const part of PARTS) {
  if (names.length > 0 && !names.includes(part.name)) continue;
  const start = performance.now();
  const { passed, figures } = await outcomeOf(part);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${part.name.padEnd(10)} ${passed ? "passed" : "FAILED"}  ${figures}, ${seconds} s`);
  failed ||= !passed;
}
process.exitCode = failed ? 1 : 0;

/** The tests that try a property with as many inputs as the environment says. */
function propertyTests(): readonly string[] {
  return globSync("test/**/*.test.ts").filter((file) =>
    readFileSync(file, "utf8").includes('support/property.ts"'),
  );
}

/** A part that throws has failed, and the next one runs. */
async function outcomeOf(part: Part): Promise<Outcome> {
  try {
    return await part.run(length);
  } catch (error) {
    console.error(error);
    return { passed: false, figures: error instanceof Error ? error.message : String(error) };
  }
}
