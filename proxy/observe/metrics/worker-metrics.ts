/**
 * What a worker counts, for `/metrics`. Whoever has something to tell calls a method here; names, labels and
 * buckets are nobody else's business. No label takes a value that a client could choose.
 */
import { Registry } from "prom-client";
import type { ProtocolName } from "../../../shared/lookup.ts";
import {
  type LostLines,
  type Values,
  countedElsewhere,
  counter,
  gauge,
  histogram,
  lostLines,
} from "./kinds.ts";
import { watchProcess } from "./process-metrics.ts";
import type { Snapshot } from "./snapshot.ts";

const PROTOCOLS = ["imap", "pop3", "smtp"] as const satisfies readonly ProtocolName[];

/** How far a session has come. */
const STATES = ["arriving", "commands", "login", "proxying"] as const;
export type SessionState = (typeof STATES)[number];

/** What became of an attempt to log in; of the last kind, nobody waited for the answer. */
const RESULTS = ["accepted", "refused", "limited", "unavailable", "abandoned"] as const;
export type LoginResult = (typeof RESULTS)[number];

/** Where an answer came from: the cache, the endpoint, or the cache because the endpoint could not tell. */
const CACHE_RESULTS = ["hit", "miss", "stale"] as const;
export type CacheResult = (typeof CACHE_RESULTS)[number];

/** What a lookup may answer. */
type LookupResult = "route" | "refused" | "wait" | "unavailable";

/** What can be told only when somebody asks. */
export interface MetricSources {
  sessions(): Iterable<{ readonly protocol: ProtocolName; readonly state: SessionState }>;
  /** Upstreams that are set aside, each as `address:port`. */
  aside(): readonly string[];
  /** Clients sent away, by why. */
  refused(): Iterable<readonly [reason: string, count: number]>;
  /** Lines that were lost, by log. */
  lost(): LostLines;
}

/** Upstreams that are told by name. */
const MOST_ASIDE = 100;

export class WorkerMetrics {
  readonly #registry = new Registry();
  readonly #accepted = counter(
    this.#registry,
    "sessions_accepted_total",
    "Connections from clients",
    "protocol",
  );
  readonly #handshakes = counter(
    this.#registry,
    "tls_handshakes_total",
    "TLS handshakes with clients",
    "version",
    "resumed",
  );
  readonly #logins = counter(
    this.#registry,
    "logins_total",
    "Attempts to log in",
    "protocol",
    "result",
  );
  readonly #kicked = counter(
    this.#registry,
    "sessions_kicked_total",
    "Sessions of users who were kicked",
    "protocol",
  );
  readonly #bytes = counter(
    this.#registry,
    "bytes_total",
    "Bytes from clients and to them after the login, counted when a session ends",
    "protocol",
    "direction",
  );
  readonly #lookupTime = histogram(
    this.#registry,
    "lookup_duration_seconds",
    "From a lookup to its answer",
    "result",
  );
  readonly #cache = counter(
    this.#registry,
    "lookup_cache_total",
    "Lookups where answers are kept, by where theirs came from",
    "result",
  );
  readonly #connectTime = histogram(
    this.#registry,
    "upstream_connect_duration_seconds",
    "From the dial to a connection with an upstream",
  );
  readonly #loginTime = histogram(
    this.#registry,
    "login_duration_seconds",
    "From a client's credentials to the answer, with the lookup and the upstream's login",
    "protocol",
    "result",
  );

  constructor(sources: MetricSources) {
    watchProcess(this.#registry, "worker");
    this.#beginAtZero();
    countedElsewhere(
      this.#registry,
      "refused_total",
      "Clients sent away before they were logged in",
      ["reason"],
      () => Array.from(sources.refused(), ([reason, count]) => [{ reason }, count] as const),
    );
    lostLines(this.#registry, () => sources.lost());
    gauge(
      this.#registry,
      "sessions",
      "Sessions, by what they are doing",
      ["protocol", "state"],
      "sum",
      () => census(sources.sessions()),
    );
    gauge(
      this.#registry,
      "upstream_set_aside",
      "Upstreams that failed and are not tried for a while, at most so many",
      ["upstream"],
      "max",
      () =>
        sources
          .aside()
          .slice(0, MOST_ASIDE)
          .map((upstream) => [{ upstream }, 1] as const),
    );
  }

  /** What has never happened is told as well: a rate needs a beginning. */
  #beginAtZero(): void {
    for (const protocol of PROTOCOLS) {
      this.#accepted.inc({ protocol }, 0);
      this.#kicked.inc({ protocol }, 0);
      for (const result of RESULTS) this.#logins.inc({ protocol, result }, 0);
      this.spliced(protocol, 0, 0);
    }
    for (const result of CACHE_RESULTS) this.#cache.inc({ result }, 0);
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      this.#handshakes.inc({ version, resumed: "false" }, 0);
    }
  }

  accepted(protocol: ProtocolName): void {
    this.#accepted.inc({ protocol });
  }

  /** @param version as OpenSSL has it: `TLSv1.3` */
  secured(version: string, resumed: boolean): void {
    this.#handshakes.inc({ version, resumed: `${resumed}` });
  }

  /** @param time ms, as in what follows */
  lookedUp(result: LookupResult, time: number): void {
    this.#lookupTime.observe({ result }, time / 1000);
  }

  cached(result: CacheResult): void {
    this.#cache.inc({ result });
  }

  connected(time: number): void {
    this.#connectTime.observe(time / 1000);
  }

  decided(protocol: ProtocolName, result: LoginResult, time: number): void {
    this.#logins.inc({ protocol, result });
    this.#loginTime.observe({ protocol, result }, time / 1000);
  }

  kicked(protocol: ProtocolName): void {
    this.#kicked.inc({ protocol });
  }

  /** @param received bytes from the client */
  spliced(protocol: ProtocolName, received: number, sent: number): void {
    this.#bytes.inc({ protocol, direction: "received" }, received);
    this.#bytes.inc({ protocol, direction: "sent" }, sent);
  }

  snapshot(): Promise<Snapshot> {
    return this.#registry.getMetricsAsJSON();
  }
}

function* census(sessions: ReturnType<MetricSources["sessions"]>): Values<"protocol" | "state"> {
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
