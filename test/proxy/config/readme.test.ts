// The README says which directives there are; the table in the code decides.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { blocks, names } from "../../../proxy/config/table.ts";

const README = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
const [, section = ""] =
  /## I have an `nginx.conf`(.*?)### Where Postern differs/s.exec(README) ?? [];
const [promised = "", missing = ""] = section.split("Not there yet");

test("every directive that Postern knows is in the README", () => {
  const unsaid = names.filter((name) => !new RegExp(`\`${name}[ \`]`).test(promised));
  assert.deepEqual(unsaid, []);
});

test("every directive that the README lists is one that Postern knows", () => {
  const listed = [...promised.matchAll(/`([a-z]+_[a-z_0-9]+)[ `]/g)];
  assert.ok(listed.length > 50);
  const unknown = listed.map(([, name = ""]) => name).filter((name) => !names.includes(name));
  assert.deepEqual(unknown, []);
});

test("what the README calls missing is missing", () => {
  for (const [, name = ""] of missing.matchAll(/`([a-z_]+)`/g)) {
    if (name === "listen" || name === "error_log") continue;
    assert.ok(!names.includes(name) && !blocks.has(name), name);
  }
});
