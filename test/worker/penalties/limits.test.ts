import assert from "node:assert/strict";
import { test } from "node:test";
import { unstable_readConfig } from "wrangler";
import { penaltyLimits } from "../../../worker/penalties/limits.ts";

type Variables = Parameters<typeof penaltyLimits>[0];

const NAMES = [
  "FAILURES_PER_ACCOUNT",
  "FAILURES_PER_USER",
  "FAILURES_PER_NETWORK",
  "FAILURES_PER_IPV4_24",
  "FAILURES_PER_IPV6_56",
  "FAILURES_PER_IPV6_48",
  "FAILURES_PER_DOMAIN",
  "FAILURES_IN_ALL",
  "FAILURE_WINDOW",
] as const;

/** The same text for all variables but the given ones. */
const variables = (text: string, given: Partial<Variables> = {}): Variables =>
  ({ ...Object.fromEntries(NAMES.map((name) => [name, text])), ...given }) as Variables;

const DEFAULTS = {
  window: 600_000,
  account: 10,
  user: 30,
  networks: { 32: 30, 24: 120, 64: 30, 56: 60, 48: 120 },
  domain: 2000,
  all: 20_000,
};

test("a limit is a whole number, and any other text gives the default", () => {
  const given = variables("50", { FAILURES_PER_ACCOUNT: "5", FAILURE_WINDOW: "60" });
  assert.deepEqual(penaltyLimits(given), {
    window: 60_000,
    account: 5,
    user: 50,
    networks: { 32: 50, 24: 50, 64: 50, 56: 50, 48: 50 },
    domain: 50,
    all: 50,
  });
  for (const text of ["", "0", "-1", "ten", "1e3", "1.5", "9999999999"]) {
    assert.deepEqual(penaltyLimits(variables(text)), DEFAULTS);
  }
});

test("a wider network permits no fewer failures than a narrower one, nor a user than one of their names", () => {
  const raised = { FAILURES_PER_NETWORK: "100", FAILURES_PER_ACCOUNT: "40" };
  const { networks, user } = penaltyLimits(variables("", raised));
  assert.deepEqual(networks, { 32: 100, 24: 120, 64: 100, 56: 100, 48: 120 });
  assert.equal(user, 40);
});

test("wrangler.toml has the defaults, for staging too", () => {
  for (const env of [undefined, "staging"]) {
    const { vars } = unstable_readConfig({ config: "wrangler.toml", ...(env && { env }) });
    assert.deepEqual(penaltyLimits(vars as unknown as Variables), DEFAULTS);
    for (const name of NAMES) assert.ok(name in vars, name);
  }
});
