/** Session ticket keys (RFC 5077 section 4) from nginx's files, and again when these change. */
import { hkdfSync } from "node:crypto";
import { reason } from "../../reason.ts";
import { ConfigError, type Place } from "../../config/language/error.ts";
import { readFile } from "../../config/language/files.ts";
import { Changes, type Report, stamp } from "./file-change.ts";

/** Bytes in a name, and in an AES-128 or HMAC key. */
const PART = 16;
const SHORT = 3 * PART;
/** With AES-256 and an HMAC key of 32 bytes. */
const LONG = 5 * PART;

interface TicketKey {
  /** 48 bytes in Node's order: name, HMAC, AES. */
  readonly key: Uint8Array;
  /** Whether the file's own key is a longer one, of which this was made. */
  readonly derived: boolean;
}

export class TicketKeyFiles {
  readonly certified = [];
  readonly #paths: readonly string[];
  readonly #place: Place;
  readonly #changes: Changes;
  #keys: readonly TicketKey[];

  /** @throws ConfigError for a file that cannot be read, or is of another size */
  constructor(paths: readonly string[], place: Place) {
    this.#paths = paths;
    this.#place = place;
    this.#changes = new Changes(this.#stamps());
    this.#keys = this.#read();
  }

  get keys(): readonly Uint8Array[] {
    return this.#keys.map(({ key }) => key);
  }

  get derived(): boolean {
    return this.#keys.some(({ derived }) => derived);
  }

  look(report: Report): readonly [] {
    if (this.#changes.look(this.#stamps(), report)) {
      try {
        this.#keys = this.#read();
        report.changed = true;
      } catch (error) {
        report.refused.push(`${reason(error)}, the ticket keys before stay`);
      }
    }
    return [];
  }

  #stamps(): string {
    return this.#paths.map(stamp).join("\n");
  }

  #read(): readonly TicketKey[] {
    return this.#paths.map((path) => readTicketKey(path, this.#place));
  }
}

function readTicketKey(path: string, place: Place): TicketKey {
  const bytes = readFile(path, place);
  if (bytes.length === LONG) {
    const info = "postern ticket key";
    const secrets = hkdfSync("sha256", bytes.subarray(PART), "", info, SHORT - PART);
    const key = Buffer.concat([bytes.subarray(0, PART), new Uint8Array(secrets)]);
    return { key, derived: true };
  }
  if (bytes.length !== SHORT) {
    throw new ConfigError(`"${path}" must be ${SHORT} or ${LONG} bytes`, place);
  }
  // nginx has the AES key in front of the HMAC key.
  const part = (index: number): Buffer => bytes.subarray(index * PART, (index + 1) * PART);
  return { key: Buffer.concat([part(0), part(2), part(1)]), derived: false };
}
