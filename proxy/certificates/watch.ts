/** Looks at files of certificates and keys, over and over: notices of the kernel's do not come by every mount. */
import type { Certified, KeyMaterials, News } from "../config/index.ts";
import type { ErrorLog } from "../observe/index.ts";
import { expiring, expiryWarnings } from "./expiry.ts";
import { slice } from "../slices.ts";

/** ms between two looks, and while somebody is writing. */
const USUAL = 2000;
const SOON = 250;

/** Share of the time that looking may take: with many files, looks are rarer. */
const SHARE = 1 / 50;

/** ms between two warnings of one certificate. */
const DAY = 24 * 60 * 60 * 1000;

/** Certificates that are told of at a time. */
const MOST = 20;

type Certificates = ReadonlyMap<string, Certified>;

export class KeyWatch {
  readonly #materials: KeyMaterials;
  readonly #log: Pick<ErrorLog, "write">;
  readonly #renewed: (index: number) => void;
  /** By id: those in service, and when a warning was last due. */
  #certificates: Certificates;
  #warned: ReadonlyMap<string, number>;
  /** Of each material, those that have been told: another generation with the same settings may look first. */
  #told: readonly number[];
  #timer: NodeJS.Timeout;
  #closed = false;

  /** @param renewed is told which of them is something else now */
  constructor(
    materials: KeyMaterials,
    log: Pick<ErrorLog, "write">,
    renewed: (index: number) => void,
  ) {
    this.#materials = materials;
    this.#log = log;
    this.#renewed = renewed;
    this.#certificates = byId(materials.certified);
    this.#told = renewals(materials);
    // The reader of the configuration has warned of those.
    const now = Date.now();
    this.#warned = new Map(expiring([...this.#certificates.values()]).map(({ id }) => [id, now]));
    this.#timer = this.#after(USUAL);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(this.#materials.look(), 0), ms).unref();
  }

  /** @param spent ms of this look so far */
  #look(look: ReturnType<KeyMaterials["look"]>, spent: number): void {
    if (this.#closed) return;
    const began = performance.now();
    const step = slice(look);
    const all = spent + performance.now() - began;
    if (step.done !== true) {
      setImmediate(() => this.#look(look, all));
      return;
    }
    this.#tell(step.value);
    this.#warn(Date.now());
    this.#timer = this.#after(Math.max(step.value.changing ? SOON : USUAL, all / SHARE));
  }

  #tell({ refused }: News): void {
    for (const why of refused) this.#log.write("error", why);
    const now = renewals(this.#materials);
    const renewed = [...now.keys()].filter((index) => now[index] !== this.#told[index]);
    if (renewed.length === 0) return;
    this.#told = now;
    for (const index of renewed) this.#renewed(index);
    const before = this.#certificates;
    const after = byId(this.#materials.certified);
    this.#certificates = after;
    const [come, gone] = [missing(before, after), missing(after, before)];
    this.#list(come, "is now in service");
    this.#list(gone, "is no longer in service");
    if (come.length + gone.length === 0) this.#log.write("notice", "ticket keys are read anew");
  }

  #list(some: readonly Certified[], what: string): void {
    for (const { file } of some.slice(0, MOST)) {
      this.#log.write("notice", `certificate "${file}" ${what}`);
    }
    const more = some.length - MOST;
    if (more > 0) this.#log.write("notice", `as ${more} more certificates`);
  }

  #warn(now: number): void {
    const soon = expiring([...this.#certificates.values()], now);
    const due = soon.filter(({ id }) => now - (this.#warned.get(id) ?? 0) >= DAY);
    for (const warning of expiryWarnings(due, now)) this.#log.write("warn", warning);
    const told = new Set(due);
    this.#warned = new Map(
      soon.map((one) => [one.id, told.has(one) ? now : (this.#warned.get(one.id) ?? now)]),
    );
  }
}

function renewals(materials: KeyMaterials): readonly number[] {
  return Array.from(materials, (material) => material.renewals);
}

function byId(all: readonly Certified[]): Certificates {
  return new Map(all.map((one) => [one.id, one]));
}

/** Those of the second that the first has not. */
function missing(from: Certificates, all: Certificates): readonly Certified[] {
  return [...all.values()].filter(({ id }) => !from.has(id));
}
