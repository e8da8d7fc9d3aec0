import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AccessLog, type SessionRecord } from "../../../proxy/observe/access-log.ts";
import { Sinks } from "../../../proxy/observe/index.ts";
import { makeScratch } from "../../support/scratch.ts";

const SESSION: SessionRecord = {
  connection: 7,
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  protocol: "imap",
  remote_addr: "192.0.2.9",
  remote_host: null,
  remote_port: 50_000,
  server_addr: "192.0.2.1",
  server_port: 143,
  ssl_protocol: null,
  ssl_cipher: null,
  ssl_server_name: null,
  ssl_session_reused: null,
  login: "anna",
  login_attempts: 1,
  lookup_time: 0.01,
  upstream_addr: "192.0.2.20:143",
  upstream_connect_time: 0.01,
  upstream_login_time: 0.02,
  bytes_received: 1,
  bytes_sent: 2,
  session_time: 3,
  logged_in: true,
  end: "the client closed the connection",
};

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
    new AccessLog({ path }, new Sinks()).write({ ...SESSION, login });
    const text = readFileSync(path, "utf8");
    assert.ok(text.endsWith("\n"));
    assert.ok(Buffer.byteLength(text) <= 4096, `${Buffer.byteLength(text)} bytes`);
    const written = JSON.parse(text) as SessionRecord;
    assert.equal(written.end, SESSION.end);
    assert.ok(login.startsWith(String(written.login).replace(/…$/, "").slice(0, 50)));
  });
}
