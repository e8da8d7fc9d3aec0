/** The kinds of metrics, each with Postern's prefix. */
import { type Aggregator, Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { LogKind } from "../sinks.ts";

export const PREFIX = "postern_";

export function counter<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  ...labelNames: readonly Label[]
): Counter<Label> {
  return new Counter({ name: PREFIX + name, help, labelNames, registers: [registry] });
}

/** Seconds: from what a process has at hand to what the longest time limits allow. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function histogram<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  ...labelNames: readonly Label[]
): Histogram<Label> {
  return new Histogram({
    name: PREFIX + name,
    help,
    labelNames,
    buckets: BUCKETS,
    registers: [registry],
  });
}

/** What is so at a moment: each value with its labels. */
export type Values<Label extends string> = Iterable<
  readonly [labels: Readonly<Record<Label, string>>, value: number]
>;

/** A counter whose count is kept elsewhere, and read when somebody asks. */
export function countedElsewhere<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[],
  read: () => Values<Label>,
): void {
  const made = new Counter<Label>({
    name: PREFIX + name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      made.reset();
      for (const [labels, value] of read()) made.inc(labels, value);
    },
  });
}

/**
 * A gauge that is read when somebody asks, and at no other time.
 *
 * @param aggregator what several processes make of it
 */
export function gauge<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[],
  aggregator: Aggregator,
  read: () => Values<Label>,
): void {
  const made = new Gauge<Label>({
    name: PREFIX + name,
    help,
    labelNames,
    aggregator,
    registers: [registry],
    collect() {
      made.reset();
      for (const [labels, value] of read()) made.set(labels, value);
    },
  });
}

/** Lines that are in no log, by what they were about. */
export type LostLines = Readonly<Record<LogKind, number>>;

export function lostLines(registry: Registry, lost: () => LostLines): void {
  countedElsewhere(
    registry,
    "log_lines_lost_total",
    "Lines that a log had no room for, or nobody took",
    ["log"],
    () => Object.entries(lost()).map(([log, count]) => [{ log }, count] as const),
  );
}
