// The tables of docs/directory.md, "Defence against guessing", have the numbers of the code.
import assert from "node:assert/strict";
import { test } from "node:test";
import { penaltyLimits } from "../../worker/penalties/limits.ts";
import { answeredPerWindow } from "../../worker/penalties/rate.ts";
import { readPage } from "./pages.ts";

const [, section = ""] = readPage("docs/directory.md").split("\n## Defence against guessing\n");
/** The cells of each row whose first cell begins so. */
const rowsOf = (first: RegExp) =>
  section
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | "))
    .filter(([cell = ""]) => first.test(cell));
const numberIn = (cell: string) => Number(cell.replaceAll(",", ""));

type Variables = Parameters<typeof penaltyLimits>[0];

const defaults = penaltyLimits({} as Variables);

test("the limits in the documents are the defaults of their variables", () => {
  const rows = rowsOf(/^(?:under|from) /);
  assert.equal(rows.length, 6);
  for (const [, number = "", variable = ""] of rows) {
    const name = variable.replaceAll("`", "");
    const given = { [name]: String(numberIn(number)) } as unknown as Variables;
    assert.deepEqual(penaltyLimits(given), defaults, name);
    const changed = { [name]: "1000" } as unknown as Variables;
    assert.notDeepEqual(penaltyLimits(changed), defaults, name);
  }
  const alarms = /`FAILURES_PER_DOMAIN`, ([\d,]+).*`FAILURES_IN_ALL`, ([\d,]+)/.exec(section)!;
  assert.deepEqual(alarms.slice(1).map(numberIn), [defaults.domain, defaults.all]);
});

test("the numbers of answered guesses in the documents are those that are computed", () => {
  const rows = rowsOf(/^[\d,]+$/);
  assert.deepEqual(
    rows.map((cells) => cells.map(numberIn)),
    [1, 1000, 100_000].map((addresses) => {
      const many = { addresses, accounts: Number.POSITIVE_INFINITY, names: 1 };
      const layouts = ["ipv4/24", "ipv6/48", "spread"] as const;
      return [
        addresses,
        ...layouts.map((from) => answeredPerWindow({ ...many, from }, defaults)),
        answeredPerWindow({ ...many, from: "spread", accounts: 1 }, defaults),
      ];
    }),
  );
});
