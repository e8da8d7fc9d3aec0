import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FORMATS, type User, formatOf } from "../../../worker/admin/client/formats/index.ts";

/** What a line can hold, and a field of it. */
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

test("CSV holds all of a user, whatever the letters", () => {
  const csv = FORMATS.find(({ name }) => name === "csv")!;
  const read = csv.reader(csv.heading!);
  fc.assert(
    fc.property(user, (one: User) => {
      const line = csv.write(one);
      // A line of nothing but white space is for people.
      fc.pre(line.trim() !== "");
      assert.deepEqual(read(line), { user: one });
    }),
  );
});

for (const format of FORMATS.filter(({ name }) => name !== "csv")) {
  test(`${format.name} holds address, hash, and whether the user is enabled`, () => {
    fc.assert(
      fc.property(word, word, fc.boolean(), (address, passwordHash, enabled) => {
        const one = { address, passwordHash, ...(!enabled && { enabled }) };
        const line = format.write(one);
        assert.deepEqual(format.reader(line)(line), { user: one });
        if (!address.includes(",") && !address.startsWith('"')) {
          assert.equal(formatOf(line)?.name, format.name);
        }
      }),
    );
  });
}

test("no line makes a reader fail", () => {
  for (const format of FORMATS) {
    fc.assert(
      fc.property(text, text, (first, line) => {
        const found = format.reader(first)(line);
        assert.ok(found === null || "user" in found || found.refused.length > 0);
      }),
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
  test(`${line} begins ${name ?? "no file that we know"}`, () => {
    assert.equal(formatOf(line)?.name, name);
  });
}

for (const line of ['a"b,c', '"a', '"a"b,c', 'a,"b"c']) {
  test(`${line} has a quotation mark where none may stand`, () => {
    const csv = FORMATS.find(({ name }) => name === "csv")!;
    assert.deepEqual(csv.reader(line)(line), {
      refused: "a quotation mark stands where none may",
    });
  });
}
