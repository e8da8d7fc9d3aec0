/** Metrics of several processes as one text: of those that are there, and of those that have been. */
import { AggregatorRegistry, type Registry } from "prom-client";
import { PREFIX } from "./kinds.ts";

/** All metrics of a process, as plain data that can be sent to another one. */
export type Snapshot = readonly object[];

/** What processes that have ended have counted: without them a reload would look as if counting began anew. */
export class RetiredCounts {
  #counts: Snapshot = [];

  /** @param last what a process has told last */
  add(last: Snapshot): void {
    const lasting = last.filter(lasts);
    this.#counts = together([this.#counts, lasting]).getMetricsAsArray();
  }

  /** In Prometheus' text format. */
  expose(living: readonly Snapshot[]): Promise<string> {
    return together([...living, this.#counts]).metrics();
  }
}

/** The values of one metric, of all labels and processes together. @param name without Postern's prefix */
export async function totalOf(name: string, snapshots: readonly Snapshot[]): Promise<number> {
  const metric = await together(snapshots)
    .getSingleMetric(PREFIX + name)
    ?.get();
  return metric?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
}

/** A gauge is about a process that is there. */
function lasts(metric: object): boolean {
  return "type" in metric && metric.type !== "gauge";
}

function together(snapshots: readonly Snapshot[]): Registry {
  return AggregatorRegistry.aggregate([...snapshots]);
}
