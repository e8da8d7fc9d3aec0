// The judgement on what `npm audit` says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./advisories.ts";

const TODAY = "2026-12-01";

/** A report in npm's form (auditReportVersion 2), with one advisory and a package that depends on its package. */
function report(severity: string): string {
  const url = "https://github.com/advisories/GHSA-aaaa-bbbb-cccc";
  const advisory = { source: 1, name: "left", title: "it leaks", url, severity, range: "<2" };
  return JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: {
      left: { name: "left", severity, via: [advisory] },
      right: { name: "right", severity, via: ["left"] },
    },
    metadata: {},
  });
}

for (const severity of ["high", "critical"]) {
  test(`an advisory of severity ${severity} fails, and its line names package and advisory`, () => {
    assert.deepEqual(judge(report(severity), [], TODAY), {
      failed: true,
      lines: [`advisories: left: ${severity}: it leaks (GHSA-aaaa-bbbb-cccc)`],
    });
  });
}

test("an advisory that is accepted passes to its last day, and fails on the next one", () => {
  const accepted = (until: string) => [{ advisory: "GHSA-aaaa-bbbb-cccc", why: "unused", until }];
  assert.equal(judge(report("high"), accepted(TODAY), TODAY).failed, false);
  assert.equal(judge(report("high"), accepted("2026-11-30"), TODAY).failed, true);
  const other = [{ advisory: "GHSA-other", why: "unused", until: "2027-01-01" }];
  assert.equal(judge(report("high"), other, TODAY).failed, true);
});

test("an advisory of severity moderate passes, and so does a report without any", () => {
  assert.equal(judge(report("moderate"), [], TODAY).failed, false);
  const { failed, lines } = judge('{"auditReportVersion":2,"vulnerabilities":{}}', [], TODAY);
  assert.deepEqual([failed, lines.length], [false, 1]);
});

test("a registry that cannot be asked is one line without an address, and no failure", () => {
  const refused = {
    message: "405 Method Not Allowed - POST https://registry.test/-/npm",
    error: {},
  };
  for (const [said, why] of [
    [JSON.stringify(refused), "405 Method Not Allowed"],
    ["", "no answer"],
    ["<html>", "no answer"],
  ] as const) {
    const lines = [`advisories: the registry could not be asked (${why})`];
    assert.deepEqual(judge(said, [], TODAY), { failed: false, lines });
  }
});
