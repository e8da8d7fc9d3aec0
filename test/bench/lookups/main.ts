// Measures the worker's lookups over a socket to workerd, with few users in D1 and with a million, and tests that
// the time of an answer does not tell which users exist. It takes some minutes.
//
//   npm run bench:worker [USERS]
import type { RawRequest } from "../../support/http/raw-http-client.ts";
import type { RunningWorker } from "../../support/worker/worker.ts";
import { median } from "../median.ts";
import { percentile } from "./percentile.ts";
import { rankSum } from "./rank-sum.ts";
import { KNOWN, PASSWORD, renewPasswords, startDirectory, userAddress } from "./directory.ts";
import { type Timing, delivery, login, time } from "./requests.ts";

/** In each round both workers are asked for everything, so that a busy machine slows down both. */
const ROUNDS = 10;

/** Lookups of a kind in a round; of fresh verifications there is one for each user whose password is known. */
const LOOKUPS = 1000;

/** Unknown users, and as many wrong passwords. */
const GUESSES = 1000;

/** Standard deviations: chance alone exceeds them one time in a hundred. */
const NOISE = 2.58;

const KINDS = ["fresh verification", "verified repeat", "refused key", "mail to any user"] as const;
type Kind = (typeof KINDS)[number];
type Round = Readonly<Record<Kind, Timing>>;

interface Directory {
  readonly users: number;
  readonly worker: RunningWorker;
  readonly rounds: Round[];
}

const sizes = [KNOWN, Number(process.argv[2] ?? 1_000_000)];
const directories: Directory[] = [];
try {
  for (const users of sizes) {
    directories.push({ users, worker: await startDirectory(users), rounds: [] });
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const directory of directories) directory.rounds.push(await measure(directory));
  }
  report(directories);
  await compareGuesses(directories.at(-1)!);
} finally {
  for (const { worker } of directories) await worker.dispose();
}

async function measure({ worker, users }: Directory): Promise<Round> {
  const { url } = worker;
  await renewPasswords(worker);
  const known = (index: number) => login(userAddress(index % KNOWN), PASSWORD);
  const stranger = login(userAddress(0), PASSWORD, { "X-Auth-Key": "wrong" });
  const anybody = () => delivery(userAddress(Math.floor(Math.random() * users)));
  return {
    "fresh verification": await time(url, many(KNOWN, known), "200 OK"),
    "verified repeat": await time(url, many(LOOKUPS, known), "200 OK"),
    "refused key": await time(
      url,
      many(LOOKUPS, () => stranger),
      "403",
    ),
    "mail to any user": await time(url, many(LOOKUPS, anybody), "200 OK"),
  };
}

function many(count: number, make: (index: number) => RawRequest): RawRequest[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function report([few, lots]: readonly Directory[]): void {
  if (few === undefined || lots === undefined) return;
  console.log(row("lookups over 8 connections", "users", "a second", "p50 ms", "p99 ms"));
  for (const kind of KINDS) {
    for (const { users, rounds } of [few, lots]) {
      const times = rounds.flatMap((round) => round[kind].times);
      const figures = [rate(rounds, kind), percentile(times, 0.5), percentile(times, 0.99)];
      console.log(row(kind, String(users), ...figures.map((figure) => figure.toFixed(1))));
    }
  }
  for (const { users, rounds } of [few, lots]) {
    const ratio = rate(rounds, "verified repeat") / rate(rounds, "fresh verification");
    judge(`a repeat's rate by a fresh one's, ${users} users`, ratio, ">= 10", ratio >= 10);
  }
  for (const kind of ["verified repeat", "mail to any user"] as const) {
    const ratios = lots.rounds.map(
      (round, index) => round[kind].span / few.rounds[index]![kind].span,
    );
    const ratio = median(ratios);
    judge(`${kind}: ${lots.users} users by ${few.users}`, ratio, "< 1.30", ratio < 1.3);
  }
}

/** Lookups a second in the median round. */
function rate(rounds: readonly Round[], kind: Kind): number {
  return median(rounds.map((round) => (round[kind].times.length * 1000) / round[kind].span));
}

/** Compares refusals of users who exist and of users who do not. One caller asks, in pairs of a random order. */
async function compareGuesses({ worker: { url }, users }: Directory): Promise<void> {
  const guesses = Array.from({ length: GUESSES }, (_, index) => {
    const unknown = userAddress(users + index);
    const known = userAddress(KNOWN + (index % (users - KNOWN)));
    return Math.random() < 0.5 ? [unknown, known] : [known, unknown];
  }).flat();
  const logins = guesses.map((address) => login(address, "wrong"));
  const { times } = await time(url, logins, "200 [AUTHENTICATIONFAILED]", 1);
  const isKnown = (index: number) => guesses[index]! < userAddress(users);
  const wrong = times.filter((_, index) => isKnown(index));
  const unknown = times.filter((_, index) => !isKnown(index));
  for (const [name, some] of Object.entries({ "unknown user": unknown, "wrong password": wrong })) {
    console.log(`${name}: median of ${some.length} ${median(some).toFixed(2)} ms`);
  }
  const z = rankSum(wrong, unknown);
  judge("rank-sum z of these two", z, `within ${NOISE}`, Math.abs(z) <= NOISE);
}

function row(name: string, ...figures: readonly string[]): string {
  return [name.padEnd(34), ...figures.map((figure) => figure.padStart(10))].join("");
}

function judge(name: string, value: number, target: string, met: boolean): void {
  console.log(`${name}: ${value.toFixed(2)} (target ${target})${met ? "" : "  missed"}`);
  if (!met) process.exitCode = 1;
}
