/** Metrics of several processes as one text: of the living ones, and of those that have ended. */
import type { Registry } from "prom-client";

export const PREFIX = "postern_";

/** A number with its labels, in prom-client's form. */
export interface Value {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Its own name, if it has one, as the buckets of a histogram have. */
  readonly metricName?: string;
}

/** A metric with its values, in prom-client's form. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly aggregator: "sum" | "max";
  readonly values: readonly Value[];
}

/** All metrics of a process, as plain data that can be sent to another one. */
export type Snapshot = readonly MetricSnapshot[];

/** Counts of processes that have ended. Without them a reload would look as if counting began anew. */
export class RetiredCounts {
  #counts: Promise<readonly object[]> = Promise.resolve([]);

  /** @param last the last snapshot of a process. Its gauges are left out: they describe a living process. */
  add(last: Snapshot): void {
    this.#counts = this.#sumWith(last.filter(({ type }) => type !== "gauge"));
  }

  async #sumWith(counts: Snapshot): Promise<readonly object[]> {
    const aggregate = await together([await this.#counts, counts]);
    return aggregate.getMetricsAsArray();
  }

  /** In Prometheus' text format. */
  async expose(living: readonly Snapshot[]): Promise<string> {
    // Taken at once: a process that ends from now on is among the living.
    const retired = this.#counts;
    const aggregate = await together([...living, await retired]);
    return aggregate.metrics();
  }
}

/** The sum of a metric's values over all labels and processes. @param name without Postern's prefix */
export function totalOf(name: string, snapshots: readonly Snapshot[]): number {
  return snapshots
    .flat()
    .filter((metric) => metric.name === PREFIX + name)
    .flatMap(({ values }) => values)
    .reduce((sum, { value }) => sum + value, 0);
}

/** prom-client takes 30 ms to load, so it is loaded for the first scrape and not at the start. */
async function together(snapshots: readonly (readonly object[])[]): Promise<Registry> {
  const { AggregatorRegistry } = await import("prom-client");
  return AggregatorRegistry.aggregate([...snapshots]);
}
