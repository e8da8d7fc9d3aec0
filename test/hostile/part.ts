/** A part of `npm run hostile`, and the commonest kind: test files, run by Node's test runner. */
import { run } from "../support/programs/program.ts";

/** `short` parts take at most 15 minutes together. */
export type Length = "short" | "long";

export interface Outcome {
  readonly passed: boolean;
  /** For the part's line, such as `312 tests, 41,000 logins`; on failure also the seed. */
  readonly figures: string;
}

export interface Part {
  readonly name: string;
  run(length: Length): Promise<Outcome>;
}

/** ms. Long parts take hours, and end by themselves. */
const TEST_TIMEOUT: Record<Length, number> = { short: 600_000, long: 36_000_000 };

/**
 * Runs test files as `npm test` does, with time for more inputs. The output is shown where a test fails.
 *
 * @param patterns of the files
 * @param environment added to the present one
 */
export async function runTests(
  length: Length,
  patterns: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const timeout = String(TEST_TIMEOUT[length]);
  const { end, stdout, stderr } = await run(
    process.execPath,
    [
      "--test",
      "--test-reporter=spec",
      "--test-concurrency=2",
      `--test-timeout=${timeout}`,
      "--test-global-setup=test/support/guard/runner.ts",
      "--import",
      "./test/support/guard/file.ts",
      ...patterns,
    ],
    { env: { ...process.env, TEST_FILE_TIMEOUT: timeout, ...environment } },
  );
  const [, tests = "0"] = /^. tests (\d+)$/m.exec(stdout) ?? [];
  const [, skipped = "0"] = /^. skipped (\d+)$/m.exec(stdout) ?? [];
  // A path that matches no file is a part that tests nothing.
  const passed = end === 0 && tests !== "0";
  if (!passed) process.stdout.write(`${stdout}${stderr}`);
  return { passed, figures: `${tests} tests${skipped === "0" ? "" : `, ${skipped} skipped`}` };
}
