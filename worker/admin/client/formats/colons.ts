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
  const [address = "", secret = ""] = line.split(":");
  if (address === "") return { refused: "there is no name before the colon" };
  // passwd(1) locks an account by an exclamation mark before its hash.
  const [, lock = "", passwordHash = ""] = /^(!*)(.*)$/.exec(secret) ?? [];
  if (["", "*", "x"].includes(passwordHash)) return { refused: `${address} has no password` };
  return { user: { address, passwordHash, ...(lock !== "" && { enabled: false }) } };
}

function write({ address, passwordHash, enabled }: User): string {
  return `${address}:${enabled === false ? "!" : ""}${passwordHash}`;
}
