/** Runs seeds, checks every run at its end, and shrinks one that breaks a promise. */
import { setImmediate as turn } from "node:timers/promises";
import { Choices } from "./choices.ts";
import { checkEnd } from "./end.ts";
import { World } from "./world.ts";

/** Events of a run before its peers fall silent. */
const MOST_EVENTS = 160;

/** Events behind that, in which timers end what is left. */
const MOST_QUIET_EVENTS = 400;

export interface Failure {
  readonly promise: string;
  readonly choices: readonly number[];
}

/** @param script collects the events of the run */
async function run(choices: Choices, script: string[] | null = null): Promise<World> {
  const world = new World(choices, script);
  for (let events = 0; world.broken === null && events < MOST_EVENTS && !choices.over; events++) {
    if (!world.step()) break;
    if (world.promises.settled) await settle(world);
  }
  world.quiet = true;
  const since = world.clock.now;
  for (let events = 0; world.broken === null; events++) {
    if (events === MOST_QUIET_EVENTS) world.violation("a session does not end");
    if (!world.step()) break;
    if (world.promises.settled) await settle(world);
  }
  if (world.broken === null) checkEnd(world, since);
  return world;
}

/** Lets the code behind a settled promise run. */
async function settle(world: World): Promise<void> {
  while (world.promises.settled) {
    world.promises.settled = false;
    await turn();
  }
}

/** The counts of events in many runs. */
export interface Tally {
  sessions: number;
  /** Sessions in which bytes went both ways behind the login. */
  relayed: number;
  /** Sessions by the reason of their end, in the words of the access log up to the first quotation or number. */
  readonly ends: Map<string, number>;
}

/**
 * Runs seeds until one breaks a promise.
 *
 * @returns null where every promise is kept
 */
export async function explore(
  first: number,
  count: number,
  tally: Tally,
): Promise<(Failure & { readonly seed: number }) | null> {
  for (let seed = first; seed < first + count; seed++) {
    const choices = new Choices(seed);
    const world = await run(choices);
    if (world.broken !== null) return { seed, promise: world.broken, choices: choices.taken };
    for (const { observer } of world.sides) {
      const [record] = observer.records;
      if (record === undefined) continue;
      const [end = ""] = record.end.split(/ ["0-9]/, 1);
      tally.sessions++;
      if (record.bytes_received > 0 && record.bytes_sent > 0) tally.relayed++;
      tally.ends.set(end, (tally.ends.get(end) ?? 0) + 1);
    }
  }
  return null;
}

/** @returns null where every promise is kept */
export async function failureOf(choices: readonly number[]): Promise<Failure | null> {
  const { broken } = await run(new Choices(0, choices));
  return broken === null ? null : { promise: broken, choices };
}

/** Runs that a failure's shrinking may take. */
const MOST_SHRINKING_RUNS = 4000;

/** Finds a shorter run that breaks the same promise. */
export async function shrink(failure: Failure): Promise<Failure> {
  let best = failure;
  let left = MOST_SHRINKING_RUNS;
  const fails = async (choices: readonly number[]): Promise<boolean> => {
    if (left-- <= 0) return false;
    const found = await failureOf(choices);
    if (found === null || kindOf(found.promise) !== kindOf(best.promise)) return false;
    best = found;
    return true;
  };
  for (let before = Infinity; best.choices.length < before && left > 0;) {
    before = best.choices.length;
    for (let size = before >> 1; size > 0; size >>= 1) {
      for (let at = before - size; at >= 0; at -= size) {
        await fails(best.choices.toSpliced(at, size));
      }
    }
  }
  return best;
}

/** Two failures are alike where their texts differ in numbers and in what peers have said. */
function kindOf(promise: string): string {
  return promise.replace(/".*/s, "").split("\n", 1)[0]!.replace(/\d+/g, "");
}

/** The events of a run that breaks a promise, line by line. */
export async function scriptOf(choices: readonly number[]): Promise<string> {
  const script: string[] = [];
  await run(new Choices(0, choices), script);
  return script.join("\n");
}
