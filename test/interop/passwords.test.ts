// Verifies hashes that real programs make of random passwords.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { SCHEMES, checkStored, hashPassword, readStored } from "../support/worker/passwords.ts";
import { lacking } from "../support/programs/requirements.ts";

/** Lengths around the block sizes of hash functions and the limits of schemes. */
const LENGTHS = [1, 7, 8, 9, 16, 31, 32, 33, 63, 64, 65, 71, 72, 73, 128, 250];

interface Way {
  readonly tool: "doveadm" | "mkpasswd" | "htpasswd" | "openssl" | "perl";
  readonly args: readonly string[];
  readonly scheme: string;
}

function way(scheme: string, tool: Way["tool"], ...args: string[]): Way {
  return { tool, args, scheme };
}

/** Names for `-s`, with the encodings that doveadm offers. */
function doveadm(name: string, scheme = name, ...args: string[]): Way[] {
  return ["", ".b64", ".hex"].map((encoding) =>
    way(scheme, "doveadm", "pw", "-s", `${name}${encoding}`, ...args),
  );
}

/** crypt in Perl is crypt(3), and takes settings that no other program makes. */
function crypt(scheme: string, setting: string): Way {
  const code = `local $/; print crypt(<STDIN>, "${setting.replaceAll("$", "\\$")}")`;
  return way(scheme, "perl", "-e", code);
}

const WAYS: readonly Way[] = [
  ...doveadm("ARGON2I"),
  ...doveadm("ARGON2ID"),
  ...doveadm("BLF-CRYPT", "BLF-CRYPT", "-r", "4"),
  ...doveadm("CRYPT", "BLF-CRYPT", "-r", "4"),
  ...["SHA512-CRYPT", "SHA256-CRYPT", "PBKDF2", "SCRAM-SHA-256", "SCRAM-SHA-1"].flatMap((name) =>
    doveadm(name),
  ),
  ...["SSHA512", "SSHA256", "SSHA", "SHA512", "SHA256", "SHA"].flatMap((name) => doveadm(name)),
  ...["SMD5", "PLAIN-MD5", "MD5-CRYPT", "DES-CRYPT"].flatMap((name) => doveadm(name)),
  ...doveadm("SHA1", "SHA"),
  ...doveadm("LDAP-MD5", "PLAIN-MD5"),
  ...doveadm("MD5", "MD5-CRYPT"),
  way("PLAIN", "doveadm", "pw", "-s", "PLAIN.b64"),
  way("PLAIN", "doveadm", "pw", "-s", "CLEARTEXT.hex"),
  way("BLF-CRYPT", "mkpasswd", "-s", "-m", "bcrypt"),
  way("BLF-CRYPT", "mkpasswd", "-s", "-m", "bcrypt-a"),
  way("SHA512-CRYPT", "mkpasswd", "-s", "-m", "sha512crypt", "-R", "1001"),
  way("SHA256-CRYPT", "mkpasswd", "-s", "-m", "sha256crypt", "-R", "1001"),
  way("MD5-CRYPT", "mkpasswd", "-s", "-m", "md5crypt"),
  way("DES-CRYPT", "mkpasswd", "-s", "-m", "descrypt"),
  way("BLF-CRYPT", "htpasswd", "-niB", "-C", "4", "user"),
  way("MD5-CRYPT", "htpasswd", "-nim", "user"),
  way("SHA", "htpasswd", "-nis", "user"),
  way("SHA512-CRYPT", "openssl", "passwd", "-6", "-stdin"),
  way("SHA256-CRYPT", "openssl", "passwd", "-5", "-stdin"),
  way("MD5-CRYPT", "openssl", "passwd", "-1", "-stdin"),
  way("MD5-CRYPT", "openssl", "passwd", "-apr1", "-stdin"),
  ...["2a", "2b", "2x", "2y"].map((variant) =>
    crypt("BLF-CRYPT", `$${variant}$04$abcdefghijklmnopqrstuO`),
  ),
  crypt("SHA512-CRYPT", "$6$$"),
  crypt("SHA256-CRYPT", "$5$rounds=1000$0123456789abcdef$"),
  crypt("MD5-CRYPT", "$1$$"),
];

for (const { tool, args, scheme } of WAYS) {
  const skip = lacking(tool);
  test(`${tool} ${args.join(" ")}`, { skip }, () => {
    for (const password of [somePassword(), somePassword()]) {
      const told = `of ${password.toString("hex")}`;
      const stored = store(tool, args, password);
      assert.deepEqual(checkStored(stored, SCHEMES), { scheme }, told);
      const hash = readStored(stored, SCHEMES);
      assert.equal(hash.matches(password), true, told);
      assert.equal(hash.matches(Buffer.concat([Buffer.from("!"), password])), false, told);
    }
  });
}

test(
  "doveadm verifies the hash that the worker makes of a new password",
  { skip: lacking("doveadm") },
  () => {
    const hash = `{ARGON2ID}${hashPassword(Buffer.from("schlüssel"))}`;
    const answer = execFileSync("doveadm", ["pw", "-t", hash, "-p", "schlüssel"], {
      encoding: "utf8",
    });
    assert.match(answer, /\(verified\)/);
  },
);

/** Printable ASCII and bytes that are no UTF-8. A mail program may send both. */
function somePassword(): Buffer {
  const length = LENGTHS[randomInt(LENGTHS.length)] ?? 1;
  // No 0xFF, for which crypt(3) has its own $2a$: see bcrypt.ts.
  const byte = () => (randomInt(2) === 0 ? randomInt(0x21, 0x7f) : randomInt(0x80, 0xff));
  return Buffer.from(Array.from({ length }, byte));
}

/** Each program reads the password from standard input; doveadm reads it twice. */
function store(tool: Way["tool"], args: readonly string[], password: Buffer): string {
  const end = tool === "perl" ? "" : "\n";
  const line = Buffer.concat([password, Buffer.from(end)]);
  const input = tool === "doveadm" ? Buffer.concat([line, line]) : line;
  const output = execFileSync(tool, args, {
    input,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
  return output.replace(/^user:/, "").trim();
}
