import assert from "node:assert/strict";
import { test } from "node:test";
import { clearClient } from "../../../support/proxy/protocol-client.ts";
import { logIn } from "../../../support/proxy/login-script.ts";

test("USER and PASS, each after the upstream's +OK; the client is sent the last reply", () => {
  const { sent, end } = logIn(clearClient("pop3"), ["+OK ready", "+OK go on", "+OK 3 messages"]);
  assert.deepEqual(sent, ["USER anna\r\n", "PASS secret\r\n"]);
  assert.deepEqual(end, { kind: "accepted", reply: "+OK 3 messages\r\n" });
});

test("spaces in a login and a password are kept", () => {
  const account = { login: "an na", password: " secret " };
  const { sent } = logIn(clearClient("pop3"), ["+OK", "+OK", "+OK"], account);
  assert.deepEqual(sent, ["USER an na\r\n", "PASS  secret \r\n"]);
});

for (const lines of [
  ["-ERR busy"],
  ["+OK", "-ERR unknown"],
  ["+OK", "+OK", "-ERR wrong"],
  ["+OKAY"],
]) {
  test(`${lines.at(-1)} as reply ${lines.length} ends the login`, () => {
    const { end } = logIn(clearClient("pop3"), lines);
    const kind = lines.length === 1 ? "unready" : "refused";
    assert.deepEqual(end, { kind, reply: `${lines.at(-1)}\r\n` });
  });
}
