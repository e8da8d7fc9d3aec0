// A scenario, round by round: nginx, Postern, nginx, Postern, so that what drifts drifts under both.
import { Load } from "./load.ts";
import { median } from "./measure/median.ts";
import { type Rival, type RivalName } from "./rival.ts";
import type { Round, Scenario } from "./scenario.ts";

export type Pace = {
  /** ms of complete sessions of a kind, before anything is measured. */
  readonly uptime: number;
  readonly rounds: number;
  /** ms that a round looks, and one before the first, which does not count. */
  readonly ms: number;
  readonly warmUp: number;
};

export type Comparison = {
  readonly scenario: Scenario;
  /** Medians over the rounds. */
  readonly nginx: number;
  readonly postern: number;
  /** Postern's by nginx's: of the medians, and the least and the most of any round. */
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
};

export async function compare(
  scenario: Scenario,
  rivals: Readonly<Record<RivalName, Rival>>,
  load: Load,
  { rounds, ms, warmUp }: Pace,
): Promise<Comparison> {
  const { nginx, postern } = rivals;
  const figures = { nginx: [] as number[], postern: [] as number[] };
  await measure(scenario, { rival: nginx, load, ms: warmUp });
  await measure(scenario, { rival: postern, load, ms: warmUp });
  for (let round = 0; round < rounds; round++) {
    figures.nginx.push(await measure(scenario, { rival: nginx, load, ms }));
    figures.postern.push(await measure(scenario, { rival: postern, load, ms }));
  }
  return comparison(scenario, figures.nginx, figures.postern);
}

/** One round, both at once: for what does not depend on how busy the machine is. */
export async function compareFresh(
  scenario: Scenario,
  start: (name: RivalName) => Promise<Rival>,
  { ms }: Pace,
): Promise<Comparison> {
  const one = async (name: RivalName): Promise<number> => {
    const rival = await start(name);
    const load = new Load();
    try {
      return await measure(scenario, { rival, load, ms });
    } finally {
      await Promise.all([load.stop(), rival.stop()]);
    }
  };
  const [nginx, postern] = await Promise.all([one("nginx"), one("postern")]);
  return comparison(scenario, [nginx], [postern]);
}

async function measure(scenario: Scenario, round: Round): Promise<number> {
  try {
    return await scenario.measure(round);
  } finally {
    await round.load.close();
  }
}

function comparison(
  scenario: Scenario,
  nginx: readonly number[],
  postern: readonly number[],
): Comparison {
  const ratios = postern.map((figure, round) => figure / nginx[round]!);
  return {
    scenario,
    nginx: median(nginx),
    postern: median(postern),
    ratio: median(postern) / median(nginx),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
  };
}
