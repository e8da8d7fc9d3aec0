// A small load, for `npm test`: all sessions are served, and nothing grows with them. `npm run hostile -- load` has more.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../support/programs/requirements.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { draw } from "./chart.ts";
import { growth, slowdown } from "./flat.ts";
import { holdLiveSessions } from "./live-sessions.ts";
import { runSessions } from "./sessions-in-a-row.ts";

const skip = lacking("gcc", "libssl");

test(
  "400 live sessions stay while logins come and go and some peers misbehave, and the heaps do not grow by a fifth",
  { skip },
  async (t) => {
    const { path, remove } = await makeScratch();
    t.after(remove);
    const held = await holdLiveSessions({ live: 400, rate: 40, villains: 24, seconds: 6 }, path);
    t.diagnostic(held.figures);
    assert.ok(held.logins >= 200, `${held.logins} logins`);
    assert.ok(held.hostile > 2, `${held.hostile} hostile peers`);
    assert.ok(held.heapGrowth < 0.2, `${held.heapGrowth}`);
    for (const name of ["login-time.svg", "memory.svg"]) {
      assert.match(await readFile(join(path, name), "utf8"), /^<svg [^]*<\/svg>\n$/);
    }
  },
);

test("after 9,000 sessions the workers hold what they held after 4,000", { skip }, async (t) => {
  const { passed, figures } = await runSessions({ first: 4000, all: 9000 });
  t.diagnostic(figures);
  assert.ok(passed, figures);
});

test("the criteria find memory that grows and logins that slow down, and no noise", () => {
  const noise = Array.from({ length: 100 }, (_, index) => 100 + ((index * 7) % 5));
  assert.ok(Math.abs(growth(noise)) < 0.01);
  assert.ok(Math.abs(slowdown(noise) - 1) < 0.05);
  const growing = noise.map((value, index) => value + index);
  assert.ok(growth(growing) > 0.2);
  const slowing = noise.map((value, index) => (index < 60 ? value : 3 * value));
  assert.ok(slowdown(slowing) > 2.8);
});

test("a chart has each line, and its text is escaped", () => {
  const svg = draw("a < b & c", "ms", [
    { name: "one", values: [1, 2, 3] },
    { name: "two", values: [4, 5, 60] },
  ]);
  assert.equal(svg.match(/<polyline /g)?.length, 2);
  assert.match(svg, /a &lt; b &amp; c/);
  assert.match(svg, /two, at most 60 ms/);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
});
