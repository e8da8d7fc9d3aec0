import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import {
  type LookupEndpoint,
  never,
  reply,
  route,
  startLookupEndpoint,
} from "../../../support/peers/lookup-endpoint.ts";
import { type MailProxy, startPostern } from "../../../support/real-servers/index.ts";
import { untilClosed } from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { Wire } from "../../../support/peers/wire.ts";

let endpoint: LookupEndpoint;
let postern: MailProxy;
let port: number;

const ANSWERS: Record<string, () => string | Promise<string>> = {
  yes: () => route(143, { "X-Secret": "s" }),
  no: () => reply(200, { "Auth-Status": "no" }),
  page: () => reply(500, { "Content-Type": "text/html" }),
  silent: () => "",
  slow: never,
};

before(async () => {
  endpoint = await startLookupEndpoint((asked) => ANSWERS[asked.header("Auth-User")!]!());
  [port = 0] = await freePorts(1);
  postern = await startPostern(`
    error_log stderr info;
    mail {
      auth_http ${endpoint.address};
      auth_http_header X-Auth-Key ours;
      auth_http_timeout 5s;
      auth_http_relay 127.0.0.1:${port};
    }`);
  await postern.program.listening([port]);
});
after(async () => {
  await postern.stop();
  await endpoint.close();
});

/** Sends a lookup as nginx writes it, and returns the reply's lines. */
function ask(text: string): Promise<string[]> {
  const wire = new Wire(connect(port, "127.0.0.1"));
  wire.write(text);
  return untilClosed(wire);
}

function lookup(user: string): string {
  return `GET /x HTTP/1.0\r\nHost: h\r\nAuth-User: ${user}\r\nX-Auth-Key: caller's\r\n\r\n`;
}

const END = ["Content-Length: 0", "Connection: close", ""];

test("a lookup is passed on with the caller's key alone, and answered with what nginx reads", async () => {
  const yes = ["auth-status: OK", "auth-server: 127.0.0.1", "auth-port: 143"];
  assert.deepEqual(await ask(lookup("yes")), ["HTTP/1.1 200 OK", ...yes, ...END]);
  const lines = endpoint.lookups[0]?.lines;
  assert.deepEqual(lines, [
    "GET /auth HTTP/1.1",
    "Host: 127.0.0.1",
    "Auth-User: yes",
    "X-Auth-Key: caller's",
  ]);
  assert.deepEqual(await ask(lookup("no")), ["HTTP/1.1 200 OK", "auth-status: no", ...END]);
});

test("concurrent lookups each have their own reply, over kept connections", async () => {
  const names = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? "yes" : "no"));
  const replies = await Promise.all(names.map((name) => ask(lookup(name))));
  assert.deepEqual(
    replies.map((lines) => lines[1]),
    names.map((name) => `auth-status: ${name === "yes" ? "OK" : "no"}`),
  );
});

describe("a request that is no lookup is a bad request:", () => {
  const WRONG = {
    garbage: "\x16\x03\x01\r\n\r\n",
    "another method": "POST / HTTP/1.1\r\n\r\n",
    "too much": `GET / HTTP/1.0\r\nA: ${"a".repeat(20_000)}\r\n\r\n`,
  };
  for (const [name, text] of Object.entries(WRONG)) {
    test(name, async () => assert.deepEqual(await ask(text), ["HTTP/1.1 400 Bad Request", ...END]));
  }
});

describe("an endpoint that fails is a gateway error for the caller:", () => {
  const FAILURES = {
    page: "502 Bad Gateway",
    silent: "502 Bad Gateway",
    slow: "504 Gateway Timeout",
  };
  for (const [name, status] of Object.entries(FAILURES)) {
    test(name, async () => {
      assert.deepEqual(await ask(lookup(name)), [`HTTP/1.1 ${status}`, ...END]);
    });
  }

  test("is logged", async () => {
    await ask(lookup("page"));
    await postern.program.logs(
      /\[error\].* auth http server .* answered 500 while relaying a lookup/,
    );
  });
});
