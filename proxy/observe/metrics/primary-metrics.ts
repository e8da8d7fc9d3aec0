/** The metrics of the primary process, for `/metrics`. */
import type { LoadedSettings } from "../../certificates/index.ts";
import { type LostLines, MetricSet, type Values, lostLines } from "./metric-set.ts";
import { watchProcess } from "./process-metrics.ts";
import type { Snapshot } from "./snapshot.ts";

/** Certificates that are named: the first to expire. */
const MOST_CERTIFICATES = 100;

export class PrimaryMetrics {
  readonly #metrics = new MetricSet();

  /**
   * @param settings those in force when it is called
   * @param lost lines of logs
   * @param alone true where this process is also the one worker, whose metrics then describe the process
   */
  constructor(settings: () => LoadedSettings, lost: () => LostLines, alone: boolean) {
    lostLines(this.#metrics, lost);
    if (!alone) watchProcess(this.#metrics, "primary");
    this.#metrics.gauge(
      "certificate_expiry_timestamp_seconds",
      "Expiry of a certificate for clients, in Unix time (the first 100 to expire)",
      "max",
      () => expiries(settings()),
    );
  }

  snapshot(): Snapshot {
    return this.#metrics.snapshot();
  }
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
