/**
 * The metrics of a process. They are counted here and not by prom-client, whose counters look their labels up at
 * each call: 1.7 µs a session. prom-client puts several processes together and writes the text.
 */
import type { LogKind } from "../sinks/index.ts";
import { type MetricSnapshot, PREFIX, type Snapshot, type Value } from "./snapshot.ts";

type Labels = Readonly<Record<string, string>>;

/** A number that only grows, with its labels. */
export interface Count {
  value: number;
}

/** Upper bounds in seconds, from an answer that the process has itself to the longest time limits. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Observed durations by bucket. */
export class Histogram {
  readonly #labels: Labels;
  /** One more than the bounds: the last one is for what is beyond them. */
  readonly #counts = BUCKETS.map(() => 0).concat(0);
  #sum = 0;

  constructor(labels: Labels) {
    this.#labels = labels;
  }

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** The counts are cumulative, as Prometheus wants them. Nothing while there is no observation of some labels. */
  values(name: string): readonly Value[] {
    let count = 0;
    const buckets = [...BUCKETS, "+Inf"].map((le, index) => {
      count += this.#counts[index] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le, ...this.#labels }, value: count };
    });
    if (count === 0 && Object.keys(this.#labels).length > 0) return [];
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: this.#labels, value: this.#sum },
      { metricName: `${name}_count`, labels: this.#labels, value: count },
    ];
  }
}

/** Values that are read when a snapshot is taken, each with its labels. */
export type Values = Iterable<readonly [labels: Labels, value: number]>;

export class MetricSet {
  readonly #metrics: (() => MetricSnapshot)[] = [];

  /** @returns a function that adds a series, which begins at zero */
  counter(name: string, help: string): (labels: Labels) => Count {
    const series: { readonly labels: Labels; value: number }[] = [];
    this.#add(name, help, "counter", "sum", () =>
      series.map(({ labels, value }) => ({ labels, value })),
    );
    return (labels) => {
      const added = { labels, value: 0 };
      series.push(added);
      return added;
    };
  }

  /** @returns a function that adds a series */
  histogram(name: string, help: string): (labels: Labels) => Histogram {
    const series: Histogram[] = [];
    this.#add(name, help, "histogram", "sum", () =>
      series.flatMap((each) => each.values(PREFIX + name)),
    );
    return (labels) => {
      const added = new Histogram(labels);
      series.push(added);
      return added;
    };
  }

  /** Adds a counter whose counts are kept elsewhere. */
  countedElsewhere(name: string, help: string, read: () => Values): void {
    this.#add(name, help, "counter", "sum", () => listed(read()));
  }

  /** @param aggregator how the values of several processes become one */
  gauge(name: string, help: string, aggregator: "sum" | "max", read: () => Values): void {
    this.#add(name, help, "gauge", aggregator, () => listed(read()));
  }

  snapshot(): Snapshot {
    return this.#metrics.map((take) => take());
  }

  #add(
    name: string,
    help: string,
    type: MetricSnapshot["type"],
    aggregator: MetricSnapshot["aggregator"],
    read: () => readonly Value[],
  ): void {
    this.#metrics.push(() => ({ name: PREFIX + name, help, type, aggregator, values: read() }));
  }
}

function listed(values: Values): readonly Value[] {
  return Array.from(values, ([labels, value]) => ({ labels, value }));
}

/** Lines that are in no log, by log. */
export type LostLines = Readonly<Record<LogKind, number>>;

export function lostLines(metrics: MetricSet, lost: () => LostLines): void {
  metrics.countedElsewhere(
    "log_lines_lost_total",
    "Lines that a log had no room for, or that a syslog server did not take",
    () => Object.entries(lost()).map(([log, count]) => [{ log }, count] as const),
  );
}
