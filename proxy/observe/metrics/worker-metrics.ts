/**
 * The metrics of a worker, for `/metrics`. Callers know neither names nor labels nor buckets. A client can choose
 * no label's value. All series are made at the start, so that a call costs an increment.
 */
import type { ProtocolName } from "../../../shared/lookup.ts";
import { type Count, type LostLines, MetricSet, type Values, lostLines } from "./metric-set.ts";
import { watchProcess } from "./process-metrics.ts";
import type { Snapshot } from "./snapshot.ts";

const PROTOCOLS = ["imap", "pop3", "smtp"] as const satisfies readonly ProtocolName[];

/** The part of its life that a session is in. */
const STATES = ["arriving", "commands", "login", "proxying"] as const;
export type SessionState = (typeof STATES)[number];

/** The end of a login attempt; `abandoned` where the client left before the answer. */
export type LoginResult = "accepted" | "refused" | "limited" | "unavailable" | "abandoned";

/** The origin of an answer: the cache, the endpoint, or the cache because the endpoint could not tell. */
export type CacheResult = "hit" | "miss" | "stale";

/** A lookup's answer. */
type LookupResult = "route" | "refused" | "wait" | "unavailable";

/** Values that are read when a snapshot is taken. */
export interface MetricSources {
  sessions(): Iterable<{ readonly protocol: ProtocolName; readonly state: SessionState }>;
  /** Upstreams that are set aside, each as `address:port`. */
  aside(): readonly string[];
  /** Clients sent away before the login, by reason. */
  refused(): Iterable<readonly [reason: string, count: number]>;
  /** Lines that were lost, by log. */
  lost(): LostLines;
}

/** Upstreams that are named. */
const MOST_ASIDE = 100;

export class WorkerMetrics {
  readonly #metrics = new MetricSet();
  readonly #accepted = byProtocol(
    this.#metrics.counter("sessions_accepted_total", "Connections from clients"),
  );
  readonly #handshakes = this.#metrics.counter(
    "tls_handshakes_total",
    "TLS handshakes with clients",
  );
  /** By TLS version: full handshakes and resumed ones. */
  readonly #full = new Map(
    ["TLSv1.2", "TLSv1.3"].map((version) => [version, this.#handshake(version, false)]),
  );
  readonly #resumed = new Map<string, Count>();
  readonly #logins = byLogin(this.#metrics.counter("logins_total", "Login attempts"));
  readonly #kicked = byProtocol(
    this.#metrics.counter("sessions_kicked_total", "Sessions that a kick of their user ended"),
  );
  readonly #bytes = byDirection(
    this.#metrics.counter(
      "bytes_total",
      "Bytes of clients after the login, counted when a session ends",
    ),
  );
  readonly #lookupTime = byLookup(
    this.#metrics.histogram("lookup_duration_seconds", "Duration of a lookup"),
  );
  readonly #cache = byCache(
    this.#metrics.counter(
      "lookup_cache_total",
      "Lookups of servers with a cache, by the origin of the answer",
    ),
  );
  readonly #connectTime = this.#metrics.histogram(
    "upstream_connect_duration_seconds",
    "Duration from the dial to the connection with an upstream",
  )({});
  readonly #loginTime = byLogin(
    this.#metrics.histogram(
      "login_duration_seconds",
      "Duration from a client's credentials to the answer, with the lookup and the upstream's login",
    ),
  );

  constructor(sources: MetricSources) {
    const metrics = this.#metrics;
    watchProcess(metrics, "worker");
    metrics.countedElsewhere("refused_total", "Clients sent away before the login", () =>
      Array.from(sources.refused(), ([reason, count]) => [{ reason }, count] as const),
    );
    lostLines(metrics, () => sources.lost());
    metrics.gauge("sessions", "Running sessions", "sum", () => census(sources.sessions()));
    metrics.gauge(
      "upstream_set_aside",
      "Upstreams that failed and are not tried for a while (at most 100)",
      "max",
      () =>
        sources
          .aside()
          .slice(0, MOST_ASIDE)
          .map((upstream) => [{ upstream }, 1] as const),
    );
  }

  accepted(protocol: ProtocolName): void {
    this.#accepted[protocol].value++;
  }

  /** @param version in OpenSSL's words: `TLSv1.3` */
  secured(version: string, resumed: boolean): void {
    const series = resumed ? this.#resumed : this.#full;
    let count = series.get(version);
    if (count === undefined) {
      count = this.#handshake(version, resumed);
      series.set(version, count);
    }
    count.value++;
  }

  #handshake(version: string, resumed: boolean): Count {
    return this.#handshakes({ version, resumed: `${resumed}` });
  }

  /** @param time ms, as in the methods below */
  lookedUp(result: LookupResult, time: number): void {
    this.#lookupTime[result].observe(time / 1000);
  }

  cached(result: CacheResult): void {
    this.#cache[result].value++;
  }

  connected(time: number): void {
    this.#connectTime.observe(time / 1000);
  }

  decided(protocol: ProtocolName, result: LoginResult, time: number): void {
    this.#logins[protocol][result].value++;
    this.#loginTime[protocol][result].observe(time / 1000);
  }

  kicked(protocol: ProtocolName): void {
    this.#kicked[protocol].value++;
  }

  /** @param received bytes from the client */
  spliced(protocol: ProtocolName, received: number, sent: number): void {
    const bytes = this.#bytes[protocol];
    bytes.received.value += received;
    bytes.sent.value += sent;
  }

  snapshot(): Snapshot {
    return this.#metrics.snapshot();
  }
}

type Make<Label extends string, Series> = (labels: Readonly<Record<Label, string>>) => Series;

function byProtocol<Series>(make: Make<"protocol", Series>): Record<ProtocolName, Series> {
  return {
    imap: make({ protocol: "imap" }),
    pop3: make({ protocol: "pop3" }),
    smtp: make({ protocol: "smtp" }),
  };
}

function byDirection<Series>(
  make: Make<"protocol" | "direction", Series>,
): Record<ProtocolName, Record<"received" | "sent", Series>> {
  return byProtocol(({ protocol }) => ({
    received: make({ protocol, direction: "received" }),
    sent: make({ protocol, direction: "sent" }),
  }));
}

function byLogin<Series>(
  make: Make<"protocol" | "result", Series>,
): Record<ProtocolName, Record<LoginResult, Series>> {
  return byProtocol(({ protocol }) => ({
    accepted: make({ protocol, result: "accepted" }),
    refused: make({ protocol, result: "refused" }),
    limited: make({ protocol, result: "limited" }),
    unavailable: make({ protocol, result: "unavailable" }),
    abandoned: make({ protocol, result: "abandoned" }),
  }));
}

function byLookup<Series>(make: Make<"result", Series>): Record<LookupResult, Series> {
  return {
    route: make({ result: "route" }),
    refused: make({ result: "refused" }),
    wait: make({ result: "wait" }),
    unavailable: make({ result: "unavailable" }),
  };
}

function byCache<Series>(make: Make<"result", Series>): Record<CacheResult, Series> {
  return {
    hit: make({ result: "hit" }),
    miss: make({ result: "miss" }),
    stale: make({ result: "stale" }),
  };
}

function* census(sessions: ReturnType<MetricSources["sessions"]>): Values {
  const counts = new Map<string, number>();
  for (const { protocol, state } of sessions) {
    const key = `${protocol} ${state}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const protocol of PROTOCOLS) {
    for (const state of STATES) {
      yield [{ protocol, state }, counts.get(`${protocol} ${state}`) ?? 0];
    }
  }
}
