import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { escapeValue, unescapeValue } from "../../shared/lookup.ts";
import { inputs } from "../support/property.ts";

/** Makes a ByteString. */
const byteString = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
/** Decodes a header as Workers do. */
const decodedByWorkers = (header: string) => Buffer.from(header, "latin1").toString("utf8");

test("control characters, space, percent sign and DEL are escaped, and no other ASCII", () => {
  assert.equal(escapeValue("a b%c\r\n\0\x7f~!", false), "a%20b%25c%0D%0A%00%7F~!");
});

test("bytes above 0x7F are escaped only with `eightBit`", () => {
  assert.equal(escapeValue("p\xe4ss", false), "p\xe4ss");
  assert.equal(escapeValue("p\xe4ss", true), "p%E4ss");
});

test("escaping with `eightBit` gives ASCII, and unescaping restores all bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const header = escapeValue(byteString(bytes), true);
      assert.match(header, /^[\x21-\x7e]*$/);
      assert.deepEqual(unescapeValue(decodedByWorkers(header)), bytes);
    }),
    inputs(),
  );
});

test("unescaping restores UTF-8 text that was escaped without `eightBit`", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = new TextEncoder().encode(text);
      const header = escapeValue(byteString(bytes), false);
      assert.deepEqual(unescapeValue(decodedByWorkers(header)), bytes);
    }),
    inputs(),
  );
});

test("two different passwords are escaped to different headers", () => {
  const password = fc.uint8Array({ maxLength: 4 }).map(byteString);
  fc.assert(
    fc.property(password, password, fc.boolean(), (one, other, eightBit) => {
      assert.equal(escapeValue(one, eightBit) === escapeValue(other, eightBit), one === other);
    }),
    inputs(),
  );
});

test("hexadecimal digits may be in lower case", () => {
  assert.deepEqual(unescapeValue("%c3%a4"), new Uint8Array([0xc3, 0xa4]));
});

for (const broken of ["%", "%4", "100%", "%zz", "%%20", "%2", "a%0gb", "%é0"]) {
  test(`a broken percent-escape is an error: ${broken}`, () => {
    assert.throws(() => unescapeValue(broken), URIError);
  });
}
