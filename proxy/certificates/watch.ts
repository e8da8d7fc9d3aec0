/** Polls certificate and key files. inotify does not work on every mount. */
import { slice } from "../slices.ts";
import { expiringSoon, expiryWarnings } from "./expiry.ts";
import type { ServerCertificate } from "./files/certificate.ts";
import type { CertificateStore, Renewal } from "./store.ts";

/** ms between two polls, and while a writer may be at work. */
const USUAL = 2000;
const SOON = 250;

/** Share of the time that polls may take. With many files, polls are rarer. */
const SHARE = 1 / 50;

/** ms between two warnings about one certificate. */
const DAY = 24 * 60 * 60 * 1000;

/** Certificates that are logged at a time. */
const MOST = 20;

/** The error log. */
interface Log {
  write(level: "error" | "warn" | "notice", text: string): void;
}

/** By id. */
type Certificates = ReadonlyMap<string, ServerCertificate>;

export class CertificateWatch {
  readonly #store: CertificateStore;
  readonly #log: Log;
  readonly #renewed: (index: number) => void;
  /** Certificates in service. */
  #certificates: Certificates;
  /** Time of the last warning about each certificate, by id. */
  #warned: ReadonlyMap<string, number>;
  /** The number of renewals handled, by index. Another generation with the same settings may poll first. */
  #handled: readonly number[];
  #timer: NodeJS.Timeout;
  #closed = false;

  /** @param renewed gets the index of each set of certificates that is different now */
  constructor(store: CertificateStore, log: Log, renewed: (index: number) => void) {
    this.#store = store;
    this.#log = log;
    this.#renewed = renewed;
    this.#certificates = byId(store.certificates);
    this.#handled = renewalsOf(store);
    // Loading the configuration has warned of these.
    const now = Date.now();
    const soon = expiringSoon([...this.#certificates.values()]);
    this.#warned = new Map(soon.map(({ id }) => [id, now]));
    this.#timer = this.#after(USUAL);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#poll(this.#store.poll(), 0), ms).unref();
  }

  /** @param spent ms of this poll so far */
  #poll(steps: ReturnType<CertificateStore["poll"]>, spent: number): void {
    if (this.#closed) return;
    const began = performance.now();
    const step = slice(steps);
    const all = spent + performance.now() - began;
    if (step.done !== true) {
      setImmediate(() => this.#poll(steps, all));
      return;
    }
    this.#report(step.value);
    this.#warn(Date.now());
    this.#timer = this.#after(Math.max(step.value.unsettled ? SOON : USUAL, all / SHARE));
  }

  #report({ errors }: Renewal): void {
    for (const error of errors) this.#log.write("error", error);
    const now = renewalsOf(this.#store);
    const renewed = [...now.keys()].filter((index) => now[index] !== this.#handled[index]);
    if (renewed.length === 0) return;
    this.#handled = now;
    for (const index of renewed) this.#renewed(index);
    const before = this.#certificates;
    const after = byId(this.#store.certificates);
    this.#certificates = after;
    const [added, removed] = [missing(before, after), missing(after, before)];
    this.#list(added, "is now in service");
    this.#list(removed, "is no longer in service");
    if (added.length + removed.length === 0)
      this.#log.write("notice", "new ticket keys are in use");
  }

  #list(certificates: readonly ServerCertificate[], what: string): void {
    for (const { file } of certificates.slice(0, MOST)) {
      this.#log.write("notice", `certificate "${file}" ${what}`);
    }
    const more = certificates.length - MOST;
    if (more > 0) this.#log.write("notice", `the same is true of ${more} more certificates`);
  }

  #warn(now: number): void {
    const soon = expiringSoon([...this.#certificates.values()], now);
    const due = soon.filter(({ id }) => now - (this.#warned.get(id) ?? 0) >= DAY);
    for (const warning of expiryWarnings(due, now)) this.#log.write("warn", warning);
    const warned = new Set(due);
    this.#warned = new Map(
      soon.map((one) => [one.id, warned.has(one) ? now : (this.#warned.get(one.id) ?? now)]),
    );
  }
}

function renewalsOf(store: CertificateStore): readonly number[] {
  return Array.from(store, ({ renewals }) => renewals);
}

function byId(all: readonly ServerCertificate[]): Certificates {
  return new Map(all.map((one) => [one.id, one]));
}

/** The certificates of the second that the first does not have. */
function missing(from: Certificates, all: Certificates): readonly ServerCertificate[] {
  return [...all.values()].filter(({ id }) => !from.has(id));
}
