// The session's state machine, explored: every order of data, close, error, timeout, kick, drain and stop that a
// seed comes upon. `POSTERN_TEST_SEEDS=1000000` runs more, and `POSTERN_TEST_SEED=7` begins at another one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { installClock } from "./clock.ts";
import { type Tally, explore, failureOf, scriptOf, shrink } from "./explore.ts";

const SEEDS = Number(process.env["POSTERN_TEST_SEEDS"] ?? 100_000);
const FIRST = Number(process.env["POSTERN_TEST_SEED"] ?? 0);

/** The ends that must occur, so that no part of the state machine is left out unnoticed. */
const ENDS = [
  "kicked",
  "limiting connections by zone",
  "limiting logins, excess:",
  "nothing was said for proxy_timeout",
  "the PROXY header was broken",
  "the TLS handshake failed",
  "the client closed the connection",
  "the client said goodbye",
  "the client sent commands behind STARTTLS in the clear",
  "the client timed out",
  "the login was refused",
  "the lookup could not be answered",
  "the server shut down",
  "the server was stopped",
  "the upstream closed the connection",
  "the upstream could not be reached",
  "the upstream refused the login",
  "upstream ECONNRESET",
  "client ECONNRESET",
];

/** The choices of runs that once broke a promise. */
const REGRESSIONS: readonly { readonly name: string; readonly choices: readonly number[] }[] = [];

test(`no order of events breaks a promise of the session: ${SEEDS} seeds`, async (t) => {
  const restore = installClock();
  try {
    const tally: Tally = { sessions: 0, relayed: 0, ends: new Map() };
    const failure = await explore(FIRST, SEEDS, tally);
    if (failure !== null) {
      const { promise, choices } = await shrink(failure);
      const script = await scriptOf(choices);
      assert.fail(`seed ${failure.seed}: ${promise}\n${script}\nchoices: ${choices.join(", ")}`);
    }
    const share = tally.relayed / tally.sessions;
    t.diagnostic(`${tally.sessions} sessions, ${(share * 100).toFixed(1)} % with bytes both ways`);
    // A seed that is repeated alone says nothing about shares.
    if (SEEDS < 10_000) return;
    assert.ok(share > 0.06, "too few sessions get to the relay");
    for (const end of ENDS) assert.ok(tally.ends.has(end), `no session ended with "${end}"`);
  } finally {
    restore();
  }
});

for (const { name, choices } of REGRESSIONS) {
  test(`${name}, as it once did not`, async () => {
    const restore = installClock();
    try {
      const failure = await failureOf(choices);
      assert.equal(failure?.promise, undefined);
    } finally {
      restore();
    }
  });
}
