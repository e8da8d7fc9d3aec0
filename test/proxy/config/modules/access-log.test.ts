import assert from "node:assert/strict";
import { test } from "node:test";
import {
  answer,
  configure,
  mailBlock,
  mistake,
  server,
} from "../../../support/proxy/configuration.ts";

test("by default, a session's line goes to stdout in JSON", () => {
  const stdout = { destination: { stream: "stdout" }, format: "json", when: null };
  assert.deepEqual(server("").access_log, [stdout]);
  assert.deepEqual(server("access_log stdout json;").access_log, [stdout]);
});

test("log_format joins its words, with variables in either form", () => {
  const format = "log_format short '$remote_addr: ' \"${login}x\" '$status';";
  const [log] = server("access_log stdout short;", format).access_log;
  assert.deepEqual(log?.format, {
    escape: "default",
    template: [
      { variable: "remote_addr" },
      ": ",
      { variable: "login" },
      "x",
      { variable: "status" },
    ],
  });
  const [json] = server("access_log stdout j;", "log_format j escape=json '{}';").access_log;
  assert.deepEqual(json?.format, { escape: "json", template: ["{}"] });
});

test("log_format may define a format named json", () => {
  const [log] = server("access_log stdout json;", "log_format json escape=none mine;").access_log;
  assert.deepEqual(log?.format, { escape: "none", template: ["mine"] });
});

test("there may be several logs, and off overrides them", () => {
  const logs = (text: string, mail = "") => server(text, mail).access_log.length;
  assert.equal(logs("access_log stdout; access_log stdout;"), 2);
  assert.equal(logs("access_log stdout; access_log off; access_log stdout;"), 0);
  assert.equal(logs("access_log stdout;", "access_log off;"), 1);
  assert.equal(logs("access_log off;", "access_log stdout;"), 0);
});

test("one notice says that nginx's buffer parameters have no effect", () => {
  const text = "access_log stdout json buffer=32k flush=1m gzip; access_log stdout json gzip=9;";
  const { notices, servers } = configure(mailBlock(text));
  assert.equal(notices.length, 1);
  assert.match(notices[0] ?? "", /^"access_log" writes each line at once/);
  assert.equal(servers[0]?.access_log.length, 2);
});

const MISTAKES: Readonly<Record<string, RegExp>> = {
  "access_log stdout other;": /^unknown log format "other"/,
  "access_log off json;": /^invalid parameter "json"/,
  "access_log stdout json wrong;": /^invalid parameter "wrong"/,
  "access_log stdout json if=$nothing;": /^unknown "nothing" variable/,
  "access_log /var/$protocol.log;": /^variables are not supported in the name of/,
  "log_format x y;": /^"log_format" directive is not allowed here/,
};
for (const [text, pattern] of Object.entries(MISTAKES)) {
  test(`in a server, this is an error: ${text}`, () =>
    assert.match(mistake(mailBlock(text)), pattern));
}

const FORMAT_MISTAKES: Readonly<Record<string, RegExp>> = {
  "log_format x;": /^invalid number of arguments in "log_format" directive/,
  "log_format x y; log_format x z;": /^duplicate "log_format" name "x"/,
  "log_format x escape=html y;": /^unknown log format escaping "html"/,
  "log_format x '$nosuch';": /^unknown "nosuch" variable/,
  "log_format x '${login';": /^the closing bracket in "login" variable is missing/,
  "log_format x 'a $ b';": /^invalid parameter "a \$ b"/,
  "log_format x '$';": /^invalid parameter "\$"/,
};
for (const [text, pattern] of Object.entries(FORMAT_MISTAKES)) {
  test(`in the mail block, this is an error: ${text}`, () =>
    assert.match(mistake(mailBlock("", text)), pattern));
}

test("the error about a misspelt variable suggests the likely one", () => {
  const { advice } = answer(mailBlock("", "log_format x '$remote_adr';"));
  assert.equal(advice, 'did you mean "$remote_addr"?');
});
