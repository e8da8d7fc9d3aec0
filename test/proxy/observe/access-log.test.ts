import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { SessionRecord } from "../../../proxy/observe/session-record.ts";
import { AccessLog } from "../../../proxy/observe/index.ts";
import { makeScratch } from "../../support/scratch.ts";
import { sessionRecord } from "../../support/session-record.ts";
import { willingSinks } from "../../support/sinks.ts";

const LOGINS: Record<string, string> = {
  letters: "x".repeat(5000),
  "control characters": "\u0001".repeat(4000),
  umlauts: "ä".repeat(4000),
  quotes: '"\\'.repeat(2000),
};
for (const [name, login] of Object.entries(LOGINS)) {
  test(`a login of thousands of ${name} still makes one line that a pipe writes in one piece`, async (context) => {
    const scratch = await makeScratch();
    context.after(() => scratch.remove());
    const path = join(scratch.path, "access.log");
    const target = { destination: { path }, format: "json", when: null } as const;
    new AccessLog([target], willingSinks()).write(sessionRecord({ login }));
    const text = readFileSync(path, "utf8");
    assert.ok(text.endsWith("\n"));
    assert.ok(Buffer.byteLength(text) <= 4096, `${Buffer.byteLength(text)} bytes`);
    const written = JSON.parse(text) as SessionRecord;
    assert.equal(written.end, sessionRecord().end);
    assert.ok(login.startsWith(String(written.login).replace(/…$/, "").slice(0, 50)));
  });
}
