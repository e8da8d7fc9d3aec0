import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { LogFormat, LogVariable } from "../../../proxy/config/index.ts";
import { AccessLog } from "../../../proxy/observe/index.ts";
import { conditionOf, lineOf } from "../../../proxy/observe/log-format.ts";
import { eventually } from "../../support/eventually.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { sessionRecord } from "../../support/proxy/session-record.ts";
import { willingSinks } from "../../support/proxy/sinks.ts";
import { inputs } from "../../support/property.ts";

function written(escape: LogFormat["escape"], login: string | null): string {
  return lineOf({ escape, template: [{ variable: "login" }] })(sessionRecord({ login }));
}

/** Text with many characters that one of the escapings treats specially. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', "\\", "\n", "\r", "\t", "\b", "\f", "\x7f", "\x9b", "\u2028", "u00", "x0"),
    fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  ),
});

test("by default a value is written in printable ASCII, from which the value can be read back", () => {
  fc.assert(
    fc.property(text, (login) => {
      const line = written("default", login);
      assert.match(line, /^[ -~]*$/);
      const bytes = line.replace(/\\x([\dA-F]{2})/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
      assert.equal(Buffer.from(bytes, "latin1").toString(), login);
    }),
    inputs(),
  );
});

test("with escape=json any value between quotes is a string of JSON", () => {
  fc.assert(
    fc.property(text, (login) => {
      assert.equal(JSON.parse(`"${written("json", login)}"`), login);
    }),
    inputs(),
  );
});

test("with escape=none a value can neither end the line nor control a terminal", () => {
  fc.assert(
    fc.property(text, (login) => {
      // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
      assert.doesNotMatch(written("none", login), /[\x00-\x1f\x7f-\x9f]/);
    }),
    inputs(),
  );
  assert.equal(written("none", 'ä "b" \\'), 'ä "b" \\');
});

test("an absent value is a dash, or empty with escape=json and escape=none", () => {
  assert.equal(written("default", null), "-");
  assert.equal(written("json", null), "");
  assert.equal(written("none", null), "");
  assert.equal(written("default", ""), "");
});

test("times are seconds with milliseconds, dates have nginx's form, and if= reads flags", () => {
  const record = sessionRecord({ session_time: 3, ssl_session_reused: false, logged_in: false });
  const value = (variable: LogVariable): string =>
    lineOf({ escape: "default", template: [{ variable }] })(record);
  assert.equal(value("session_time"), "3.000");
  assert.equal(value("ssl_session_reused"), ".");
  assert.match(value("time_local"), /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/);
  assert.match(value("time_iso8601"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/);
  assert.ok(Math.abs(Date.parse(value("time_iso8601")) - Date.now()) < 3_600_000);
  assert.match(value("msec"), /^\d+\.\d{3}$/);
  const asked = (logged_in: boolean): boolean =>
    conditionOf([{ variable: "logged_in" }])(sessionRecord({ logged_in }));
  assert.deepEqual([asked(true), asked(false)], [true, false]);
});

test("the longest values make a line that a pipe writes in one piece", async (context) => {
  const scratch = await makeScratch();
  context.after(() => scratch.remove());
  const path = join(scratch.path, "access.log");
  const template = Array.from({ length: 40 }, () => ({ variable: "login" }) as const);
  const format = { escape: "default", template } as const;
  const log = new AccessLog([{ destination: { path }, format, when: null }], willingSinks());
  log.write(sessionRecord({ login: "ä".repeat(5000) }));
  await eventually("the log has a line", () => readFileSync(path).length > 0);
  const line = readFileSync(path, "latin1");
  assert.match(line, /^[ -~]+\n$/);
  assert.ok(line.length <= 4096, `${line.length} bytes`);
});
