/** An attacker with many addresses of one network, as a subscriber of IPv6 has them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Answer, type Harness, startHarness } from "../../support/worker/harness.ts";
import { ONE_SERVER } from "../../support/worker/directory.ts";

const WRONG = "[AUTHENTICATIONFAILED] Invalid login or password";
const BUSY = "[UNAVAILABLE] Temporary failure, please try again later";
const BLOCKED = "[UNAVAILABLE] Too many failed logins, please try again later";

const row = { group: "mail", server: "m1" };

let worker: Harness;
before(async () => {
  worker = await startHarness({
    vars: {
      FAILURES_PER_NETWORK: "10",
      FAILURES_PER_IPV4_24: "30",
      FAILURES_PER_IPV6_56: "15",
      FAILURES_PER_IPV6_48: "30",
    },
    seed: {
      ...ONE_SERVER,
      users: [
        { address: "alice@example.test", ...row, password: "wonderland" },
        ...Array.from({ length: 25 }, (_, index) => {
          return { address: `honest-${index}@example.test`, ...row, password: "wonderland" };
        }),
      ],
    },
  });
});
after(() => worker.close());

const status = ({ auth }: Answer) => auth["auth-status"];

let guesses = 0;
/** Guesses at an account of which nothing was counted yet. */
function guess(client: string): Promise<Answer> {
  guesses += 1;
  return worker.ask({ "Auth-User": `guessed-${guesses}@example.test`, "Client-IP": client });
}

for (const [what, addressOf, permitted, outside] of [
  ["a /48", (n: number) => `2001:db8:1:${n.toString(16)}00::1`, 30, "2001:db8:2::1"],
  ["a /56", (n: number) => `2001:db8:3:${n}::1`, 15, "2001:db8:3:ff00::1"],
  ["a /24", (n: number) => `198.51.100.${n}`, 30, "198.51.101.1"],
] as const) {
  test(`${permitted} guesses from as many networks of ${what} are answered, and the rest of it is blocked`, async () => {
    const answers: Answer[] = [];
    for (let n = 0; n < permitted + 5; n++) answers.push(await guess(addressOf(n)));
    const words = answers.map(status);
    assert.deepEqual([...new Set(words.slice(0, permitted))], [WRONG]);
    assert.deepEqual([...new Set(words.slice(permitted))], [BLOCKED]);
    const waits = [0, 0.2, 0.4, 0.6, 0.8].map(
      (share) => answers[share * permitted]?.auth["auth-wait"],
    );
    assert.deepEqual(waits, ["1", "2", "4", "8", "15"]);
    const right = { "Client-IP": addressOf(permitted + 6) };
    assert.equal(status(await worker.ask(right)), BLOCKED);
    assert.equal(status(await worker.ask({ "Client-IP": outside })), "OK");
  });
}

test("twenty guesses at once from one /48, again and again, make no honest login busy", async () => {
  let flooding = true;
  const flood = Array.from({ length: 20 }, async (_, index) => {
    const words: (string | undefined)[] = [];
    for (let n = 0; flooding; n++) {
      const client = `2001:db8:4:${index}::${n}`;
      words.push(status(await guess(client)));
    }
    return words;
  });
  const honest = Array.from({ length: 25 }, (_, index) =>
    worker.ask({
      "Auth-User": `honest-${index}@example.test`,
      "Client-IP": `2001:db8:${1000 + index}::1`,
    }),
  );
  const answers = (await Promise.all(honest)).map(status);
  flooding = false;
  const told = (await Promise.all(flood)).flat();
  assert.deepEqual(answers, Array<string>(25).fill("OK"));
  assert.ok(told.includes(BUSY), "the flood was large enough");
});
