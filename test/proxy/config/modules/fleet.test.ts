import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { configure, mailBlock, mistake } from "../../../support/proxy/configuration.ts";

const KEY = { "fleet.key": "postern_abcd-efgh\n" };
const read = (directive: string, files: Record<string, string> = KEY) =>
  configure(mailBlock("", directive), files).fleet;
const wrong = (directive: string, files: Record<string, string> = KEY) =>
  mistake(mailBlock("", directive), files);

test("there is no fleet by default", () => {
  assert.equal(read(""), null);
});

test("a fleet has a URL, and a key in a file beside the configuration", () => {
  assert.deepEqual(read("fleet https://postern.example.workers.dev/fleet key=fleet.key;"), {
    url: "https://postern.example.workers.dev/fleet",
    key: "postern_abcd-efgh",
  });
});

for (const [url, known] of [
  ["https://h.example/fleet/", "https://h.example/fleet"],
  ["https://h.example", "https://h.example"],
  ["http://localhost:8787/fleet", "http://localhost:8787/fleet"],
  ["http://127.0.0.2/fleet", "http://127.0.0.2/fleet"],
  ["http://[::1]:1/fleet", "http://[::1]:1/fleet"],
] as const) {
  test(`${url} may be its URL`, () => {
    assert.equal(read(`fleet ${url} key=fleet.key;`)?.url, known);
  });
}

describe("a fleet is refused for", () => {
  for (const url of [
    "h.example",
    "https://",
    "https://u:p@h.example/",
    "https://h.example/?q",
    "https://h.example/#f",
  ]) {
    test(`a URL such as ${url}`, () => {
      assert.equal(
        wrong(`fleet ${url} key=fleet.key;`),
        'invalid URL in "fleet" in /conf/main.conf:1',
      );
    });
  }

  for (const url of [
    "http://h.example/",
    "http://192.0.2.1/",
    "ftp://h.example/",
    "http://127.0.0.1.example/",
  ]) {
    test(`an unencrypted key to ${url}`, () => {
      assert.equal(
        wrong(`fleet ${url} key=fleet.key;`),
        '"fleet" would send its key unencrypted in /conf/main.conf:1',
      );
    });
  }

  test("a missing key, a key on the line itself, or a file without one", () => {
    const url = "https://h.example/fleet";
    assert.match(wrong(`fleet ${url};`), /^invalid number of arguments in "fleet" directive in /);
    assert.match(wrong(`fleet ${url} abcd;`), /^no "key=FILE" in "fleet" in /);
    assert.match(
      wrong(`fleet ${url} key=none;`),
      /^open\(\) of the file of "key=" failed \(2: No such file/,
    );
    for (const text of ["", "\n", "two\nlines", "a blank", "key\x01", "kéy"]) {
      assert.match(
        wrong(`fleet ${url} key=fleet.key;`, { "fleet.key": text }),
        /fleet\.key" must hold one line with the key of "fleet", in /,
      );
    }
  });

  test("a second directive, and one in a server", () => {
    const fleet = "fleet https://h.example/ key=fleet.key;";
    assert.match(wrong(fleet + fleet), /^"fleet" directive is duplicate in /);
    assert.match(mistake(mailBlock(fleet), KEY), /^"fleet" directive is not allowed here in /);
  });
});
