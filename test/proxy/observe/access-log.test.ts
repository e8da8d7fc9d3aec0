import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import {
  AccessLog,
  ErrorLog,
  type SessionRecord,
  type Sinks,
} from "../../../proxy/observe/index.ts";
import { eventually } from "../../support/eventually.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { sessionRecord } from "../../support/proxy/session-record.ts";
import { willingSinks } from "../../support/proxy/sinks.ts";

interface Site {
  readonly path: string;
  readonly sinks: Sinks;
  readonly log: AccessLog;
  readonly text: () => string;
}

async function site(t: TestContext): Promise<Site> {
  const scratch = await makeScratch();
  t.after(() => scratch.remove());
  const path = join(scratch.path, "access.log");
  const sinks = willingSinks();
  const log = new AccessLog([{ destination: { path }, format: "json", when: null }], sinks);
  return { path, sinks, log, text: () => readFileSync(path, "utf8") };
}

/** Waits until the file has so many lines. */
async function untilLines(path: string, count = 1): Promise<void> {
  await eventually(
    `the log has ${count} lines`,
    () => readFileSync(path, "utf8").split("\n").length > count,
  );
}

test("a line of JSON is the time and the record, in the record's order, without control characters", async (t) => {
  const { path, log, text } = await site(t);
  const login = 'ä"\\\n\x07\u2028\ud800';
  log.write(sessionRecord({ login, session_time: 0.3, ssl_session_reused: false, lookup_time: 0 }));
  await untilLines(path);
  assert.equal(
    text().replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/, '"TIME"'),
    '{"log":"access","time":"TIME","connection":7,"trace_id":"0af7651916cd43dd8448eb211c80319c",' +
      '"protocol":"imap","remote_addr":"192.0.2.9","remote_host":null,"remote_port":50000,' +
      '"server_addr":"192.0.2.1","server_port":143,"ssl_protocol":null,"ssl_cipher":null,' +
      '"ssl_server_name":null,"ssl_session_reused":false,' +
      String.raw`"login":"ä\"\\\n\u0007\u2028\ud800",` +
      '"login_attempts":1,"lookup_time":0,"upstream_addr":"192.0.2.20:143",' +
      '"upstream_connect_time":0.01,"upstream_login_time":0.02,"bytes_received":1,"bytes_sent":2,' +
      '"session_time":0.3,"status":200,"logged_in":true,"end":"the client closed the connection"}\n',
  );
});

const LOGINS: Record<string, string> = {
  letters: "x".repeat(5000),
  "control characters": "\u0001".repeat(4000),
  umlauts: "ä".repeat(4000),
  quotes: '"\\'.repeat(2000),
};
for (const [name, login] of Object.entries(LOGINS)) {
  test(`a login of thousands of ${name} still makes one line that a pipe writes in one piece`, async (t) => {
    const { path, log, text } = await site(t);
    log.write(sessionRecord({ login }));
    await untilLines(path);
    const line = text();
    assert.ok(line.endsWith("\n"));
    assert.ok(Buffer.byteLength(line) <= 4096, `${Buffer.byteLength(line)} bytes`);
    const written = JSON.parse(line) as SessionRecord;
    assert.equal(written.end, sessionRecord().end);
    assert.ok(login.startsWith(String(written.login).replace(/…$/, "").slice(0, 50)));
  });
}

test("a log that is off is not enabled", () => {
  assert.equal(new AccessLog([], willingSinks()).enabled, false);
});

describe("lines that are written together", () => {
  const connections = (text: string): number[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as SessionRecord).connection);

  test("are in the file soon, in order, as many as there are", async (t) => {
    const { path, log, text } = await site(t);
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    for (const connection of numbers) log.write(sessionRecord({ connection }));
    await untilLines(path, numbers.length);
    assert.deepEqual(connections(text()), numbers);
  });

  test("stand before an event of the error log that comes later, in the same file", async (t) => {
    const { path, sinks, log, text } = await site(t);
    const errorLog = new ErrorLog([{ destination: { path }, level: "info" }], sinks);
    log.write(sessionRecord());
    errorLog.write("info", "later");
    assert.match(text(), /^\{.*\}\n.* later\n$/);
  });

  test("stay in the old file when the log is opened anew", async (t) => {
    const { path, sinks, log, text } = await site(t);
    log.write(sessionRecord({ connection: 1 }));
    renameSync(path, `${path}.1`);
    sinks.reopen();
    log.write(sessionRecord({ connection: 2 }));
    await untilLines(path);
    assert.deepEqual(connections(readFileSync(`${path}.1`, "utf8")), [1]);
    assert.deepEqual(connections(text()), [2]);
  });

  const ENDS: Record<string, string> = {
    "process.exit()": "write(1); process.exit(0);",
    "an uncaught error": 'write(1); throw new Error("fault");',
    "process.exit(), while sessions end in a listener of the exit":
      'process.on("exit", () => write(1)); process.exit(0);',
  };
  for (const [end, code] of Object.entries(ENDS)) {
    test(`are not lost at ${end}`, async (t) => {
      const { path, text } = await site(t);
      const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
      const script = `
        import { AccessLog, Sinks } from ${module("../../../proxy/observe/index.ts")};
        import { sessionRecord } from ${module("../../support/proxy/session-record.ts")};
        const target = { destination: { path: ${JSON.stringify(path)} }, format: "json", when: null };
        const log = new AccessLog([target], new Sinks(() => {}));
        const write = (connection) => log.write(sessionRecord({ connection }));
        ${code}`;
      spawnSync(process.execPath, ["--input-type=module", "-e", script]);
      assert.deepEqual(connections(text()), [1]);
    });
  }
});
