/** The descendants of /etc/passwd: name, hash, and fields that tell us nothing. */
import type { Format, Line, User } from "./format.ts";

/** How many fields a line of each has. */
const FIELDS = {
  /** Dovecot's passwd-file: `user:password:uid:gid:(gecos):home:(shell):extra_fields`. */
  passwd: 8,
  /** shadow(5). */
  shadow: 9,
  htpasswd: 2,
};

/** They are read alike, so that what a file is taken for does no harm. */
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
  if (address === "") return { refused: "there is no name before the colon" };
  // passwd(1) locks an account by an exclamation mark before its hash.
  const [, lock = "", passwordHash = ""] = /^(!*)(.*)$/.exec(secret) ?? [];
  if (["", "*", "x"].includes(passwordHash)) {
    return {
      refused: `${address}: it has no password; to have the user, make them one by users add`,
    };
  }
  const extras = fields
    .slice(FIELDS.passwd - 1)
    .join(":")
    .split(/\s+/);
  if (extras.some((extra) => extra.startsWith("allow_nets="))) {
    return {
      refused: `${address}: allow_nets holds for this user, and cannot be kept; take it away to let them in from everywhere`,
    };
  }
  const isOut =
    lock !== "" || extras.some((extra) => /^nologin(=|$)/.test(extra)) || hasExpired(fields);
  return { user: { address, passwordHash, ...(isOut && { enabled: false }) } };
}

/** The eighth field of shadow(5): the day from which the account is no more, counted from 1970. */
function hasExpired(fields: readonly string[]): boolean {
  const [day = ""] = fields.slice(7);
  return fields.length === FIELDS.shadow && /^\d+$/.test(day) && Number(day) * DAY <= Date.now();
}

/** ms */
const DAY = 24 * 60 * 60 * 1000;

function write({ address, passwordHash, enabled }: User): string {
  return `${address}:${enabled === false ? "!" : ""}${passwordHash}`;
}
