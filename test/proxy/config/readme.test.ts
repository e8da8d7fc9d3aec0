// The README says which directives there are; the table in the code decides.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { LOG_VARIABLES } from "../../../proxy/config/modules/log/log-format.ts";
import { names } from "../../../proxy/config/table.ts";

const README = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
const [, listing = ""] =
  /## I have an `nginx.conf`(.*?)### Where Postern differs/s.exec(README) ?? [];

test("every directive that Postern knows is in the README", () => {
  const unsaid = names.filter((name) => !new RegExp(`\`${name}[ \`]`).test(listing));
  assert.deepEqual(unsaid, []);
});

test("every directive that the README lists is one that Postern knows", () => {
  const listed = [...listing.matchAll(/`([a-z]+_[a-z_0-9]+)[ `]/g)];
  assert.ok(listed.length > 50);
  const unknown = listed.map(([, name = ""]) => name).filter((name) => !names.includes(name));
  assert.deepEqual(unknown, []);
});

test("the variables of log_format that the README has are those that there are", () => {
  const rows = README.match(/^\| `\$\w+`.*$/gm) ?? [];
  const listed = rows.flatMap((row) =>
    [...row.matchAll(/`\$(\w+)`/g)].map(([, name = ""]) => name),
  );
  assert.deepEqual(listed.toSorted(), [...LOG_VARIABLES].toSorted());
});
