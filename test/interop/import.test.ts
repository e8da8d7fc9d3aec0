// Imports files of users that real programs have written. The users can log in, and an export gives the same file back.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { users } from "../../worker/directory/schema/index.ts";
import { type AdminCommand, startAdminCommand } from "../support/worker/admin-command.ts";
import { seed } from "../support/worker/directory.ts";
import { eventually } from "../support/eventually.ts";
import { lacking } from "../support/programs/requirements.ts";
import { makeScratch, type Scratch } from "../support/programs/scratch.ts";

const PASSWORD = "wönder: 100% land";

function made(tool: string, ...args: string[]): string {
  return execFileSync(tool, args, { input: `${PASSWORD}\n`, encoding: "utf8" }).trim();
}

const doveadm = (scheme: string) => made("doveadm", "pw", "-s", scheme, "-p", PASSWORD);
const mkpasswd = (method: string) => made("mkpasswd", "-s", "-m", method);

/** The lines of a file, and the outcome for each user in it. */
interface Case {
  readonly lines: () => string[];
  /** Users that may log in after the import, and users that exist and may not. */
  readonly enabled: readonly string[];
  readonly disabled?: readonly string[];
  /** Line numbers, and why they are refused. */
  readonly refused: readonly (readonly [number, RegExp])[];
}

const cases: Readonly<Record<string, Case>> = {
  "a passwd-file with hashes of doveadm": {
    lines: () => [
      "# user:password:uid:gid:(gecos):home:(shell):extra_fields",
      `argon@example.test:${doveadm("ARGON2ID")}:1000:1000::/home/a::userdb_mail=mbox:~/mail`,
      `bcrypt@example.test:${doveadm("BLF-CRYPT")}:1000:1000::/home/b::`,
      `crypt@example.test:${doveadm("SHA512-CRYPT.b64")}::::::`,
      `scram@example.test:${doveadm("SCRAM-SHA-256")}::::::`,
      `out@example.test:${doveadm("SSHA512.hex")}::::::nologin`,
      `weak@example.test:${doveadm("MD5-CRYPT")}::::::`,
      `digest@example.test:${doveadm("CRAM-MD5")}::::::`,
      "open@example.test:::::::nopassword=y",
    ],
    enabled: ["argon", "bcrypt", "crypt", "scram"],
    disabled: ["out"],
    refused: [
      [7, /MD5-CRYPT is weak, and WEAK_PASSWORD_SCHEMES does not allow it/],
      [8, /\{CRAM-MD5\} is a scheme that we cannot verify; the user needs a new password/],
      [9, /open@example.test: there is no password/],
    ],
  },
  "a shadow file with hashes of mkpasswd": {
    lines: () => [
      "root:*:19700:0:99999:7:::",
      "daemon:!:19700:0:99999:7:::",
      `debian:${mkpasswd("yescrypt")}:19700:0:99999:7:::`,
      `sha512:${mkpasswd("sha512crypt")}:19700:0:99999:7:::`,
      `sha256:${mkpasswd("sha256crypt")}:19700:0:99999:7:::`,
      `locked:!${mkpasswd("bcrypt")}:19700:0:99999:7:::`,
      `expired:${mkpasswd("bcrypt")}:19700:0:99999:7::19800:`,
    ],
    enabled: ["sha512", "sha256"],
    disabled: ["locked", "expired"],
    refused: [
      [1, /root: there is no password/],
      [2, /daemon: there is no password/],
      [3, /debian: yescrypt \(\$y\$\) is a scheme that we cannot verify; .*new password/],
    ],
  },
  "an htpasswd file": {
    lines: () => [
      made("htpasswd", "-niB", "web"),
      made("htpasswd", "-nis", "sha"),
      made("htpasswd", "-nim", "apache"),
    ],
    enabled: ["web", "sha"],
    refused: [[3, /MD5-CRYPT is weak/]],
  },
  "CSV with hashes of openssl": {
    lines: () => [
      "email,password,group",
      `"six@Example.TEST","${made("openssl", "passwd", "-6", "-stdin")}",mail`,
      `five@example.test,${made("openssl", "passwd", "-5", "-stdin")},mail`,
      `one@example.test,${made("openssl", "passwd", "-1", "-stdin")},mail`,
    ],
    enabled: ["six", "five"],
    refused: [[4, /one@example.test: MD5-CRYPT is weak/]],
  },
};

describe("import", { skip: lacking("doveadm", "mkpasswd", "htpasswd", "openssl") }, () => {
  let admin: AdminCommand;
  let scratch: Scratch;
  before(async () => {
    [admin, scratch] = await Promise.all([
      startAdminCommand({ vars: { DEFAULT_DOMAIN: "example.test" } }),
      makeScratch(),
    ]);
    await seed(admin.worker.db, {
      groups: [{ name: "mail" }],
      servers: [{ name: "m1", group: "mail", host: "192.0.2.1", imapPort: 143 }],
      domains: [{ name: "example.test", group: "mail" }],
    });
  });
  after(() => Promise.all([admin.worker.dispose(), scratch.remove()]));

  for (const [what, { lines, enabled, disabled = [], refused }] of Object.entries(cases)) {
    test(`users of ${what} can log in, and an export gives them back unchanged`, async () => {
      await admin.worker.db.delete(users);
      const file = join(scratch.path, "users");
      await writeFile(file, `${lines().join("\n")}\n`);
      const count = enabled.length + disabled.length;
      const { end, stdout, stderr } = await admin.run(["import", file]);
      assert.equal(end, refused.length === 0 ? 0 : 1);
      assert.equal(stdout, `${count} created, 0 updated, 0 unchanged, ${refused.length} refused\n`);
      const told = stderr.trim().split("\n");
      for (const [index, [line, reason]] of refused.entries()) {
        assert.ok(told[index]?.startsWith(`${file}:${line}: `), stderr);
        assert.match(told[index] ?? "", reason);
      }
      await assertRoundTrip(count);

      for (const user of enabled) assert.equal(await login(user, PASSWORD), "OK", user);
      for (const user of disabled) assert.notEqual(await login(user, PASSWORD), "OK", user);
      for (const user of enabled) assert.notEqual(await login(user, "wonderland"), "OK", user);
      await untilRehashed(enabled);
      await assertRoundTrip(count);
      for (const user of enabled) assert.equal(await login(user, PASSWORD), "OK", user);
    });
  }

  /** Exports the users in every format, and imports them again. */
  async function assertRoundTrip(count: number): Promise<void> {
    const original = (await admin.run(["export"])).stdout;
    for (const format of ["csv", "passwd", "shadow", "htpasswd"]) {
      const file = join(scratch.path, `exported.${format}`);
      const { end, stdout, stderr } = await admin.run(["export", "--format", format]);
      assert.equal(end, 0, stderr);
      await writeFile(file, stdout);
      const again = await admin.run(["import", file]);
      assert.equal(again.stdout, `0 created, 0 updated, ${count} unchanged, 0 refused\n`, format);
    }
    assert.equal((await admin.run(["export"])).stdout, original);
    await admin.worker.db.delete(users);
    const { stdout } = await admin.run(["import", join(scratch.path, "exported.csv")]);
    assert.equal(stdout, `${count} created, 0 updated, 0 unchanged, 0 refused\n`);
    assert.equal((await admin.run(["export"])).stdout, original);
  }

  /** Waits until the worker has replaced the hashes, which it does after its answer to a login. */
  async function untilRehashed(names: readonly string[]): Promise<void> {
    await eventually("the hashes are replaced", async () => {
      const rows = await admin.worker.db.select().from(users);
      const better = rows.filter(({ passwordHash }) => passwordHash.includes("$argon2id$"));
      return better.length === names.length;
    });
  }

  async function login(user: string, password: string): Promise<string | null> {
    const { headers } = await fetch(`${admin.worker.url}/auth`, {
      headers: {
        "X-Auth-Key": "development",
        "Auth-Method": "plain",
        "Auth-User": user,
        "Auth-Pass": encodeURIComponent(password),
        "Auth-Protocol": "imap",
        "Auth-Login-Attempt": "1",
        "Client-IP": "192.0.2.1",
      },
    });
    return headers.get("Auth-Status");
  }
});
