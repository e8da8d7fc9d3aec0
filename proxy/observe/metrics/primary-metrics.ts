/** The metrics of the primary process, for `/metrics`. */
import type { LoadedSettings } from "../../certificates/index.ts";
import type { LineState } from "../../revocation/index.ts";
import { type LostLines, MetricSet, type Values, lostLines } from "./metric-set.ts";
import { watchProcess } from "./process-metrics.ts";
import type { Snapshot } from "./snapshot.ts";

/** In the order of the metric's series. */
const LINE_STATES: readonly LineState[] = ["connected", "catching up", "away", "refused"];

/** Certificates that are named: the first to expire. */
const MOST_CERTIFICATES = 100;

export class PrimaryMetrics {
  readonly #metrics = new MetricSet();

  /**
   * @param settings those in force when it is called
   * @param line the state of the line to the fleet; null without a fleet
   * @param lost lines of logs
   * @param alone true where this process is also the one worker, whose metrics then describe the process
   */
  constructor(
    settings: () => LoadedSettings,
    line: () => LineState | null,
    lost: () => LostLines,
    alone: boolean,
  ) {
    lostLines(this.#metrics, lost);
    if (!alone) watchProcess(this.#metrics, "primary");
    this.#metrics.gauge(
      "certificate_expiry_timestamp_seconds",
      "Expiry of a certificate for clients, in Unix time (the first 100 to expire)",
      "max",
      () => expiries(settings()),
    );
    this.#metrics.gauge(
      "fleet_line",
      "1 for the state of the line to the fleet; cached lookups are used afresh while it is connected",
      "max",
      () => statesOf(line()),
    );
  }

  snapshot(): Snapshot {
    return this.#metrics.snapshot();
  }
}

/** No series without a fleet. */
function statesOf(line: LineState | null): Values {
  if (line === null) return [];
  return LINE_STATES.map((state) => [{ state }, state === line ? 1 : 0]);
}

/** Each certificate by its first host name, or by its subject where it has none. */
function expiries({ certificates }: LoadedSettings): Values {
  return certificates.certificates
    .toSorted((one, other) => one.expires - other.expires)
    .slice(0, MOST_CERTIFICATES)
    .map(({ names: [name], subject, serial, expires }) => [
      { certificate: name ?? subject, serial },
      expires / 1000,
    ]);
}
