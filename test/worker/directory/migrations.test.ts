// The shape of SQL that D1's endpoint for remote migrations accepts. A local database accepts more.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const FOLDER = "worker/migrations";
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".sql"));

test("there are migrations with triggers, so that the tests below check some", () => {
  const triggers = files.flatMap((file) => linesOf(file).filter((line) => /TRIGGER/i.test(line)));
  assert.ok(triggers.length > 10);
});

for (const file of files) {
  test(`D1 takes each trigger of ${file} for one statement: a line with one BEGIN and one END in capitals`, () => {
    for (const line of linesOf(file)) {
      if (!/^\s*create\s+trigger/i.test(line)) continue;
      assert.match(line, /^CREATE TRIGGER .* BEGIN .*; END;$/);
      assert.equal(line.match(/\b(?:BEGIN|CASE|END)\b/gi)?.length, 2, line);
    }
  });

  test(`no comment of ${file} has a semicolon, and no line ends with CR`, () => {
    for (const line of linesOf(file)) {
      assert.doesNotMatch(line, /^\s*--(?!> statement-breakpoint).*;|\r$/);
    }
  });
}

function linesOf(file: string): string[] {
  return readFileSync(`${FOLDER}/${file}`, "utf8").split("\n");
}
