/** Live sessions while logins come and go and some peers misbehave: the times of logins and the memory stay flat. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Length } from "../part.ts";
import { draw } from "./chart.ts";
import { growth, slowdown } from "./flat.ts";
import { startSite } from "./site.ts";

export interface Load {
  readonly live: number;
  /** Logins a second. */
  readonly rate: number;
  /** Peers that misbehave, over and above. */
  readonly villains: number;
  readonly seconds: number;
}

/** HOSTILE_LIVE is for small machines. */
const LIVE = Number(process.env["HOSTILE_LIVE"] ?? 10_000);

export const LOADS: Readonly<Record<Length, Load>> = {
  short: { live: LIVE, rate: LIVE / 50, villains: LIVE / 20, seconds: 120 },
  long: { live: LIVE, rate: LIVE / 50, villains: LIVE / 20, seconds: 600 },
};

export interface Held {
  readonly logins: number;
  /** Hostile peers that are connected, on average. */
  readonly hostile: number;
  /** The growth of the workers' heaps after a collection, from the first quarter to the end. */
  readonly heapGrowth: number;
  /** The growth of all memory over the last half, and of the 99th percentile of login times, as in `flat.ts`. */
  readonly growth: number;
  readonly slowdown: number;
  /** For a line of text. */
  readonly figures: string;
}

/** @param folder gets `login-time.svg` and `memory.svg` */
export async function holdLiveSessions(load: Load, folder: string): Promise<Held> {
  const { live, rate, villains, seconds } = load;
  const site = await startSite();
  try {
    const { imap, pop3, smtp, imaps } = site.ports;
    const crowd = site.start("crowd", [imap, pop3, smtp, imaps, live, rate, villains]);
    await crowd.line();
    const medians: number[] = [];
    const p99s: number[] = [];
    const memory: number[] = [];
    let [logins, connected] = [0, 0];
    let early = 0;
    while (memory.length < seconds) {
      if (memory.length === Math.floor(seconds / 4)) early = (await site.held()).heap;
      const words = (await crowd.line()).split(" ").map(Number);
      const [, count = 0, median = 0, p99 = 0, , peers = 0] = words;
      logins += count;
      connected += peers / seconds;
      medians.push(median / 1000);
      p99s.push(p99 / 1000);
      memory.push((await site.memory()) / 1024);
    }
    const heapGrowth = (await site.held()).heap / early - 1;
    await mkdir(folder, { recursive: true });
    const circumstances = `${live} live sessions, ${rate} logins a second, ${villains} hostile peers`;
    const times = [
      { name: "median", values: medians },
      { name: "99th percentile", values: p99s },
    ];
    await writeFile(join(folder, "login-time.svg"), draw(`Login, ${circumstances}`, "ms", times));
    await writeFile(
      join(folder, "memory.svg"),
      draw(`Memory, ${circumstances}`, "MiB", [{ name: "all processes", values: memory }]),
    );
    const [grown, slower] = [growth(memory), slowdown(p99s)];
    const figures = [
      `${live} live sessions, ${logins} logins, ${Math.round(connected)} hostile peers at a time`,
      `median ${last(medians)} ms, p99 ${last(p99s)} ms (${slower.toFixed(2)} of the first quarter or 25 ms)`,
      `${last(memory)} MiB (${percent(grown)} in the last half), heaps ${mebibytes(early)} MiB after a quarter (${percent(heapGrowth)} at the end)`,
    ].join("; ");
    return { logins, hostile: connected, heapGrowth, growth: grown, slowdown: slower, figures };
  } finally {
    await site.close();
  }
}

function percent(share: number): string {
  return `${share < 0 ? "" : "+"}${(share * 100).toFixed(1)} %`;
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}

/** The median of the last quarter, for a line of text. */
function last(values: readonly number[]): string {
  const quarter = values.slice(-Math.ceil(values.length / 4)).toSorted((a, b) => a - b);
  return (quarter[Math.floor(quarter.length / 2)] ?? 0).toFixed(1);
}
