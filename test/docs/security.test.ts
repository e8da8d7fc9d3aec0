// Each promise of SECURITY.md names tests that hold it, and these exist.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readPage } from "./pages.ts";

const ROOT = new URL("../../", import.meta.url);
const page = readPage("SECURITY.md");

/** The promises, a line each, of all sections below the heading. */
const promises = page
  .replace(/^[^]*^## What Postern promises$/m, "")
  .replace(/^## [^]*$/m, "")
  .split("\n")
  .filter((line) => line.startsWith("- "));

/** A link to a test file, and a part of the test's title in quotes. */
const HELD = /\]\((test\/[\w./-]+\.test\.ts)\) "([^"]+)"/g;

const TITLE = /\b(?:test|describe)\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g;

/** The titles of a file's tests, as they stand in the code. */
function titlesOf(file: string): string[] {
  const code = readFileSync(new URL(file, ROOT), "utf8");
  return [...code.matchAll(TITLE)].map(([, , title = ""]) => title.replaceAll(/\\(.)/g, "$1"));
}

test("SECURITY.md makes promises", () => {
  assert.ok(promises.length > 20);
});

for (const promise of promises) {
  const words = promise.slice(2, 80);
  test(`the promise "${words}…" names tests that exist`, () => {
    const held = [...promise.matchAll(HELD)];
    assert.ok(held.length > 0, "it names none");
    assert.equal(
      held.length,
      promise.match(/\]\(test\//g)?.length,
      "a link has no title behind it",
    );
    for (const [, file = "", title = ""] of held) {
      const titles = titlesOf(file);
      assert.ok(
        titles.some((one) => one.includes(title)),
        `${file} has no test "${title}" among:\n${titles.join("\n")}`,
      );
    }
  });
}
