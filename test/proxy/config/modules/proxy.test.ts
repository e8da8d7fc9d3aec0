import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, mailBlock, mistake, server } from "../../../support/proxy/configuration.ts";

const ADDRESSES: Readonly<Record<string, string | null>> = {
  off: null,
  "192.0.2.1": "192.0.2.1",
  "2001:DB8::0:1": "2001:db8::1",
  "::ffff:192.0.2.1": "::ffff:192.0.2.1",
};
for (const [text, address] of Object.entries(ADDRESSES)) {
  test(`proxy_bind ${text} is ${address}`, () => {
    assert.equal(server(`proxy_bind ${text};`).proxy_bind, address);
  });
}

test("proxy_bind off overrides the mail block's address", () => {
  assert.equal(server("", "proxy_bind 192.0.2.1;").proxy_bind, "192.0.2.1");
  assert.equal(server("proxy_bind off;", "proxy_bind 192.0.2.1;").proxy_bind, null);
});

const MISTAKES: Readonly<Record<string, string>> = {
  "mail.example.test": 'invalid address "mail.example.test"',
  "192.0.2.256": 'invalid address "192.0.2.256"',
  "[2001:db8::1]": 'invalid address "[2001:db8::1]"',
  "unix:/run/mail.sock": 'invalid address "unix:/run/mail.sock"',
  "off transparent": 'invalid address "off"',
  "192.0.2.1 opaque": 'invalid parameter "opaque"',
  "192.0.2.1; proxy_bind off": '"proxy_bind" directive is duplicate',
  "": 'invalid number of arguments in "proxy_bind" directive',
};
for (const [text, message] of Object.entries(MISTAKES)) {
  test(`proxy_bind ${text} gets nginx's error`, () => {
    assert.equal(mistake(mailBlock(`proxy_bind ${text};`)), `${message} in /conf/main.conf:1`);
  });
}

const REFUSED: Readonly<Record<string, readonly [message: string, advice: string]>> = {
  "192.0.2.1 transparent": [
    "transparent proxying is not supported",
    'to tell upstreams the client\'s address, use "proxy_protocol"',
  ],
  "$remote_addr transparent": [
    'invalid address "$remote_addr"',
    'variables are not supported; to tell upstreams the client\'s address, use "proxy_protocol"',
  ],
  "192.0.2.1:2525": [
    'invalid address "192.0.2.1:2525"',
    'the system chooses the port of each connection: write "192.0.2.1"',
  ],
  "[2001:db8::1]:2525": [
    'invalid address "[2001:db8::1]:2525"',
    'the system chooses the port of each connection: write "2001:db8::1"',
  ],
};
for (const [text, [message, advice]] of Object.entries(REFUSED)) {
  test(`proxy_bind ${text} is an error with advice`, () => {
    const told = answer(mailBlock(`proxy_bind ${text};`));
    assert.equal(told.message, `${message} in /conf/main.conf:1`);
    assert.equal(told.advice, advice);
  });
}

test("proxy_socket_keepalive is off by default", () => {
  assert.equal(server("").proxy_socket_keepalive, false);
  assert.equal(server("proxy_socket_keepalive on;").proxy_socket_keepalive, true);
  assert.equal(
    server("proxy_socket_keepalive off;", "proxy_socket_keepalive on;").proxy_socket_keepalive,
    false,
  );
});
