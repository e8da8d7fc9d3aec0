/** What the primary process knows, for `/metrics`. */
import { X509Certificate } from "node:crypto";
import { Registry } from "prom-client";
import type { Settings } from "../../config/index.ts";
import { type Values, gauge } from "./kinds.ts";
import { watchProcess } from "./process-metrics.ts";
import type { Snapshot } from "./snapshot.ts";

/** Certificates that are told of, those that expire first. */
const MOST_CERTIFICATES = 100;

export class PrimaryMetrics {
  readonly #registry = new Registry();

  /**
   * @param settings those that are in force when it is asked
   * @param alone whether the one worker is this very process, and tells how it fares
   */
  constructor(settings: () => Settings, alone: boolean) {
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

function expiries({ servers }: Settings): Values<"certificate" | "serial"> {
  const pairs = servers.flatMap(({ tls }) => tls?.keyPairs ?? []);
  const shown = new Set(pairs.map(({ certificate }) => certificate));
  return [...shown]
    .map((pem) => new X509Certificate(pem))
    .toSorted((one, other) => one.validToDate.getTime() - other.validToDate.getTime())
    .slice(0, MOST_CERTIFICATES)
    .map((certificate) => [
      { certificate: nameOf(certificate), serial: certificate.serialNumber },
      certificate.validToDate.getTime() / 1000,
    ]);
}

/** The first of its host names, or whose it is. */
function nameOf({ subjectAltName = "", subject }: X509Certificate): string {
  return /(?:^|, )DNS:([^,"]+)/.exec(subjectAltName)?.[1] ?? subject.replaceAll("\n", ", ");
}
