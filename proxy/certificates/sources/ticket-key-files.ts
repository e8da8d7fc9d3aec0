/** `ssl_session_ticket_key`: session ticket keys (RFC 5077 section 4) in nginx's format, read again after a change. */
import { hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfigError, type NamedFile, openFailed } from "../../config/index.ts";
import { reason } from "../../reason.ts";
import { ChangeDetector, type PollReport, stamp } from "./file-change.ts";
import type { Source } from "./source.ts";

/** Bytes in a name, and in an AES-128 or HMAC key. */
const PART = 16;
const SHORT = 3 * PART;
/** Bytes of a file with an AES-256 key and an HMAC key of 32 bytes. */
const LONG = 5 * PART;

interface FileKey {
  /** 48 bytes in Node's order: name, HMAC, AES. */
  readonly key: Uint8Array;
  /** True if the file holds a longer key, from which this one is derived. */
  readonly derived: boolean;
}

export class TicketKeyFiles implements Source {
  readonly certificates = [];
  readonly #files: readonly NamedFile[];
  readonly #changes: ChangeDetector;
  #keys: readonly FileKey[];

  /** @throws ConfigError for a file that cannot be read, or has another size */
  constructor(files: readonly NamedFile[]) {
    this.#files = files;
    this.#changes = new ChangeDetector(this.#stamps());
    this.#keys = this.#read();
  }

  get keys(): readonly Uint8Array[] {
    return this.#keys.map(({ key }) => key);
  }

  /** True if one of the files holds a longer key than Node can use. */
  get derived(): boolean {
    return this.#keys.some(({ derived }) => derived);
  }

  poll(report: PollReport): readonly [] {
    if (this.#changes.poll(this.#stamps(), report)) {
      try {
        this.#keys = this.#read();
        report.changed = true;
      } catch (error) {
        report.errors.push(`${reason(error)}, the old ticket keys stay in use`);
      }
    }
    return [];
  }

  #stamps(): string {
    return this.#files.map(({ name }) => stamp(name)).join("\n");
  }

  #read(): readonly FileKey[] {
    return this.#files.map(readTicketKey);
  }
}

function readTicketKey({ name, place }: NamedFile): FileKey {
  let bytes: Buffer;
  try {
    bytes = readFileSync(name);
  } catch (error) {
    throw new ConfigError(openFailed(name, error), place);
  }
  if (bytes.length === LONG) {
    const info = "postern ticket key";
    const secrets = hkdfSync("sha256", bytes.subarray(PART), "", info, SHORT - PART);
    const key = Buffer.concat([bytes.subarray(0, PART), new Uint8Array(secrets)]);
    return { key, derived: true };
  }
  if (bytes.length !== SHORT) {
    throw new ConfigError(`"${name}" must be ${SHORT} or ${LONG} bytes`, place);
  }
  // nginx has the AES key before the HMAC key.
  const part = (index: number): Buffer => bytes.subarray(index * PART, (index + 1) * PART);
  return { key: Buffer.concat([part(0), part(2), part(1)]), derived: false };
}
