/** What the primary process knows, for `/metrics`. */
import { Registry } from "prom-client";
import type { Settings } from "../../config/index.ts";
import { type LostLines, type Values, gauge, lostLines } from "./kinds.ts";
import { watchProcess } from "./process-metrics.ts";
import type { Snapshot } from "./snapshot.ts";

/** Certificates that are told of, those that expire first. */
const MOST_CERTIFICATES = 100;

export class PrimaryMetrics {
  readonly #registry = new Registry();

  /**
   * @param settings those that are in force when it is asked
   * @param lost lines of logs
   * @param alone whether the one worker is this very process, and tells how it fares
   */
  constructor(settings: () => Settings, lost: () => LostLines, alone: boolean) {
    lostLines(this.#registry, lost);
    if (!alone) watchProcess(this.#registry, "primary");
    gauge(
      this.#registry,
      "certificate_expiry_timestamp_seconds",
      "When a certificate that clients are shown expires, in Unix time; those that expire first",
      ["certificate", "serial"],
      "max",
      () => expiries(settings()),
    );
  }

  snapshot(): Promise<Snapshot> {
    return this.#registry.getMetricsAsJSON();
  }
}

/** Each by the first of its host names, or whose it is. */
function expiries({ keyMaterials }: Settings): Values<"certificate" | "serial"> {
  return keyMaterials.certified
    .toSorted((one, other) => one.expires - other.expires)
    .slice(0, MOST_CERTIFICATES)
    .map(({ names: [name], subject, serial, expires }) => [
      { certificate: name ?? subject, serial },
      expires / 1000,
    ]);
}
