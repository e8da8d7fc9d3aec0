import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FORMATS, type User, formatOf } from "../../../../worker/admin/client/formats/index.ts";
import { inputs } from "../../../support/property.ts";

/** Texts that a line can hold, and texts that a field of it can hold. */
const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((value) => !/[\r\n]/.test(value));
const word = text.filter((value) => !/^[#!*x]|[:\s]/.test(value));

const user = fc.record(
  {
    address: text,
    passwordHash: text,
    enabled: fc.boolean(),
    imap: fc.boolean(),
    pop3: fc.boolean(),
    smtp: fc.boolean(),
    group: text,
    server: text,
    upstreamLogin: text,
  },
  { requiredKeys: ["address", "passwordHash"], noNullPrototype: true },
);

test("CSV holds all fields of a user, with any characters", () => {
  const csv = FORMATS.find(({ name }) => name === "csv")!;
  const read = csv.reader(csv.heading!);
  fc.assert(
    fc.property(user, (one: User) => {
      const line = csv.write(one);
      // A line of white space alone is a comment.
      fc.pre(line.trim() !== "");
      assert.deepEqual(read(line), { user: one });
    }),
    inputs(4),
  );
});

for (const format of FORMATS.filter(({ name }) => name !== "csv")) {
  test(`${format.name} holds the address, the hash, and the flag enabled`, () => {
    fc.assert(
      fc.property(word, word, fc.boolean(), (address, passwordHash, enabled) => {
        const one = { address, passwordHash, ...(!enabled && { enabled }) };
        const line = format.write(one);
        assert.deepEqual(format.reader(line)(line), { user: one });
        if (!address.includes(",") && !address.startsWith('"')) {
          assert.equal(formatOf(line)?.name, format.name);
        }
      }),
      inputs(4),
    );
  });
}

test("no line makes a reader throw", () => {
  for (const format of FORMATS) {
    fc.assert(
      fc.property(text, text, (first, line) => {
        const found = format.reader(first)(line);
        assert.ok(found === null || "user" in found || found.refused.length > 0);
      }),
      inputs(4),
    );
  }
});

for (const [line, name] of [
  ["alice:$2y$05$abc", "htpasswd"],
  ["alice:$6$a$b:19000:0:99999:7:::", "shadow"],
  ["alice:{SHA512-CRYPT}$6$a$b:1000:1000::/home/alice::", "passwd"],
  ["alice:{SSHA}abc::::", "passwd"],
  ['alice,"$argon2id$v=19$m=1,t=1,p=1$a$b",mail', "csv"],
  ["Address,Hash", "csv"],
  ['"alice",x', "csv"],
  ["alice", undefined],
] as const) {
  test(`the first line ${line} begins ${name === undefined ? "a file of unknown format" : `a file of ${name}`}`, () => {
    assert.equal(formatOf(line)?.name, name);
  });
}

for (const line of ['a"b,c', '"a', '"a"b,c', 'a,"b"c']) {
  test(`the CSV line ${line} is refused for a misplaced quotation mark`, () => {
    const csv = FORMATS.find(({ name }) => name === "csv")!;
    assert.deepEqual(csv.reader(line)(line), {
      refused: "a quotation mark is misplaced",
    });
  });
}

test("a CSV line that begins with a comma has an empty address", () => {
  const csv = FORMATS.find(({ name }) => name === "csv")!;
  for (const line of [",hash,mail", ',"hash"', ","]) {
    assert.deepEqual(csv.reader(line)(line), { refused: "there is no address" });
  }
});

const past = String(Math.floor(Date.now() / 86_400_000));
const soon = String(Math.floor(Date.now() / 86_400_000) + 2);

for (const [line, expected] of [
  ["alice:hash:19000:0:99999:7:::", { enabled: undefined }],
  [`alice:hash:19000:0:99999:7::${past}:`, { enabled: false }],
  [`alice:hash:19000:0:99999:7::${soon}:`, { enabled: undefined }],
  ["alice:!hash:19000:0:99999:7:::", { enabled: false }],
  ["alice:hash:1000:1000::/home/alice::userdb_mail=mbox:~/mail nologin=y", { enabled: false }],
  ["alice:hash:1000:1000::/home/alice::userdb_nologin=y", { enabled: undefined }],
  ["alice:hash::::::allow_nets=10.0.0.0/8", "alice: allow_nets cannot be kept"],
  ["alice:hash::::::userdb_quota_rule=*:storage=1G allow_nets=local", "alice: allow_nets"],
  ["alice:*:19000:0:99999:7:::", "alice: there is no password; add the user with a new one"],
  ["alice:!!:19000:0:99999:7:::", "alice: there is no password"],
  ["alice:!*:19000:0:99999:7:::", "alice: there is no password"],
  ["alice::19000:0:99999:7:::", "alice: there is no password"],
] as const) {
  test(`the line ${line} is ${typeof expected === "string" ? "refused" : "read with its flag"}`, () => {
    const found = formatOf(line)!.reader(line)(line)!;
    if (typeof expected === "string") {
      assert.ok("refused" in found && found.refused.startsWith(expected), JSON.stringify(found));
    } else {
      assert.ok("user" in found);
      assert.equal(found.user.enabled, expected.enabled);
    }
  });
}

test("a heading may use the names of other systems, and no unknown name", () => {
  const csv = FORMATS.find(({ name }) => name === "csv")!;
  const read = csv.reader("Password, Username,GROUP");
  assert.deepEqual(read("h,alice,mail"), {
    user: { address: "alice", passwordHash: "h", group: "mail" },
  });
  assert.throws(
    () => csv.reader("address,hash,quota"),
    /unknown column "quota"; the columns are address, hash/,
  );
});
