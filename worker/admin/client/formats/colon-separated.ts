/** The formats that descend from /etc/passwd: name, hash, and other fields, separated by colons. */
import type { Format, Line, User } from "./format.ts";

/** The number of fields of a line. */
const FIELDS = {
  /** Dovecot's passwd-file: `user:password:uid:gid:(gecos):home:(shell):extra_fields`. */
  passwd: 8,
  /** shadow(5). */
  shadow: 9,
  htpasswd: 2,
};

/** All are read alike, so that a wrong guess of the format does no harm. */
export const colonFormats = Object.entries(FIELDS).map(([name, fields]): Format => ({
  name,
  recognises: (line) => line.split(":").length === fields,
  reader: () => read,
  write: (user) => write(user) + ":".repeat(fields - 2),
}));

function read(line: string): Line {
  if (line.trim() === "" || line.startsWith("#")) return null;
  const fields = line.split(":");
  const [address = "", secret = ""] = fields;
  if (address === "") return { refused: "there is no name before the first colon" };
  // passwd(1) locks an account by an exclamation mark before its hash.
  const [, lock = "", passwordHash = ""] = /^(!*)(.*)$/.exec(secret) ?? [];
  if (["", "*", "x"].includes(passwordHash)) {
    return {
      refused: `${address}: there is no password; add the user with a new one by users add`,
    };
  }
  const extras = fields
    .slice(FIELDS.passwd - 1)
    .join(":")
    .split(/\s+/);
  if (extras.some((extra) => extra.startsWith("allow_nets="))) {
    return {
      refused: `${address}: allow_nets cannot be kept; remove it to let the user in from everywhere`,
    };
  }
  const isDisabled =
    lock !== "" || extras.some((extra) => /^nologin(=|$)/.test(extra)) || hasExpired(fields);
  return { user: { address, passwordHash, ...(isDisabled && { enabled: false }) } };
}

/** The eighth field of shadow(5) is the day on which the account expires, counted from 1970. */
function hasExpired(fields: readonly string[]): boolean {
  const [day = ""] = fields.slice(7);
  return fields.length === FIELDS.shadow && /^\d+$/.test(day) && Number(day) * DAY <= Date.now();
}

/** ms */
const DAY = 24 * 60 * 60 * 1000;

function write({ address, passwordHash, enabled }: User): string {
  return `${address}:${enabled === false ? "!" : ""}${passwordHash}`;
}
