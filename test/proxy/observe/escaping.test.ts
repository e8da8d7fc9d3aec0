// Text that a peer has chosen, in every output: no character of it controls a terminal, ends a line or reorders what
// is shown. nginx's own escaping is written down here, so that no nginx is needed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import type { LogFormat } from "../../../proxy/config/index.ts";
import { AccessLog, ErrorLog, type ListedSession } from "../../../proxy/observe/index.ts";
import { lineOf } from "../../../proxy/observe/log-format.ts";
import { json } from "../../../proxy/observe/pages/sessions-page.ts";
import { table } from "../../../proxy/process/control/table.ts";
import { eventually } from "../../support/eventually.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { sessionRecord } from "../../support/proxy/session-record.ts";
import { willingSinks } from "../../support/proxy/sinks.ts";
import { inputs } from "../../support/property.ts";

/** Controls, line ends beyond ASCII, and the controls of bidirectional text. */
const UNSAFE = [
  ...range(0, 0x1f),
  ...range(0x7f, 0x9f),
  0x61c,
  ...range(0x200e, 0x200f),
  ...range(0x2028, 0x202e),
  ...range(0x2066, 0x2069),
].map((code) => String.fromCodePoint(code));

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function assertSafe(line: string): void {
  const found = UNSAFE.filter((char) => line.includes(char));
  assert.deepEqual(found, [], JSON.stringify(line));
}

/** Half of the characters are unsafe; others are beside them, or bytes that are no UTF-8, as a session decodes them. */
const text = fc.string({
  maxLength: 40,
  unit: fc.oneof(
    fc.constantFrom(...UNSAFE),
    fc.constantFrom(
      "\xa0",
      "\u061b",
      "\u2027",
      "\u202f",
      "\u2065",
      "\u206a",
      "\ufffd",
      "\ud800",
      '"',
      "\\",
    ),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});

function formatted(escape: LogFormat["escape"], login: string): string {
  return lineOf({ escape, template: [{ variable: "login" }] })(sessionRecord({ login }));
}

/** The bits of ngx_http_log_escape: a set one means that the byte is written as `\xHH`. */
const NGINX_BITS = [
  0xffffffff,
  0x00000004,
  0x10000000,
  0x80000000,
  ...range(4, 7).map(() => 0xffffffff),
];

function nginxDefault(value: string): string {
  return [...Buffer.from(value)]
    .map((byte) => {
      const isEscaped = ((NGINX_BITS[byte >> 5] ?? 0) >>> (byte & 31)) & 1;
      const hex = byte.toString(16).toUpperCase().padStart(2, "0");
      return isEscaped === 1 ? `\\x${hex}` : String.fromCharCode(byte);
    })
    .join("");
}

/** ngx_escape_json */
function nginxJson(value: string): string {
  const named: Readonly<Record<string, string>> = {
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
    '"': '\\"',
    "\\": "\\\\",
  };
  return Array.from(value, (char) => {
    const code = char.codePointAt(0) ?? 0;
    const hex = `\\u00${code.toString(16).toUpperCase().padStart(2, "0")}`;
    return named[char] ?? (code < 0x20 ? hex : char);
  }).join("");
}

test("escape=default is nginx's, byte for byte", () => {
  for (const code of range(0, 0x3000)) {
    const char = String.fromCodePoint(code);
    assert.equal(formatted("default", char), nginxDefault(char), `U+${code.toString(16)}`);
  }
  fc.assert(
    fc.property(text, (login) => assert.equal(formatted("default", login), nginxDefault(login))),
    inputs(2),
  );
});

test("escape=json is nginx's, but for unsafe characters that nginx passes", () => {
  for (const code of range(0, 0x3000)) {
    const char = String.fromCodePoint(code);
    const passes = code >= 0x20 && UNSAFE.includes(char);
    const hex = code.toString(16).toUpperCase().padStart(4, "0");
    assert.equal(formatted("json", char), passes ? `\\u${hex}` : nginxJson(char));
  }
});

test("escape=none leaves all but unsafe characters as they are", () => {
  for (const code of range(0, 0x3000)) {
    const char = String.fromCodePoint(code);
    const shown = formatted("none", char);
    if (UNSAFE.includes(char)) assert.match(shown, /^\\(?:x[\dA-F]{2}|u[\dA-F]{4})$/);
    else assert.equal(shown, char);
  }
});

test("no line of a format holds an unsafe character", () => {
  fc.assert(
    fc.property(fc.constantFrom("default", "json", "none"), text, (escape, login) => {
      assertSafe(formatted(escape, login));
    }),
    inputs(2),
  );
});

test("a session on the status page and in -s who holds no unsafe character, and JSON keeps its value", () => {
  fc.assert(
    fc.property(text, text, (user, auth_user) => {
      const session = listed({ user, auth_user });
      const written = json(session);
      assertSafe(written);
      assert.deepEqual(JSON.parse(written), session);
      const [, row = "", ...more] = table([session]).split("\n");
      assertSafe(row);
      assert.deepEqual(more, [""]);
    }),
    inputs(2),
  );
});

function listed(changes: Partial<ListedSession>): ListedSession {
  return {
    connection: 1,
    worker: 1,
    trace_id: "",
    protocol: "imap",
    state: "proxying",
    remote_addr: "192.0.2.1",
    remote_port: 1,
    ssl_protocol: null,
    user: null,
    auth_user: null,
    upstream_addr: null,
    bytes_received: 0,
    bytes_sent: 0,
    session_time: 0,
    ...changes,
  };
}

async function logFile(t: TestContext): Promise<string> {
  const scratch = await makeScratch();
  t.after(() => scratch.remove());
  return join(scratch.path, "a.log");
}

test("each message is one line of the error log without unsafe characters", async (t) => {
  const path = await logFile(t);
  const log = new ErrorLog([{ destination: { path }, level: "info" }], willingSinks());
  let messages = 0;
  fc.assert(
    fc.property(text, (message) => {
      log.write("error", message);
      messages++;
    }),
    inputs(2),
  );
  const lines = readFileSync(path, "utf8").split("\n");
  assert.equal(lines.length, messages + 1);
  for (const line of lines) assertSafe(line);
});

test("each session is one line of the JSON log without unsafe characters, from which its values can be read", async (t) => {
  const path = await logFile(t);
  const log = new AccessLog(
    [{ destination: { path }, format: "json", when: null }],
    willingSinks(),
  );
  const logins: string[] = [];
  fc.assert(
    fc.property(text, (login) => {
      log.write(sessionRecord({ login, end: login, ssl_server_name: login, remote_host: login }));
      logins.push(login);
    }),
    inputs(2),
  );
  await eventually("the log has all lines", () => {
    return readFileSync(path, "utf8").split("\n").length > logins.length;
  });
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  for (const line of lines) assertSafe(line);
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { login: string }).login),
    logins,
  );
});
