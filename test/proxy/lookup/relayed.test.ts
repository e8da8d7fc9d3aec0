import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { relayedReply, relayedRequest } from "../../../proxy/lookup/relayed.ts";
import { HeadReader } from "../../../proxy/lookup/reply.ts";
import { Input } from "../../../proxy/transport/index.ts";

const endpoint = { https: true, host: "w.test", port: 443, hostHeader: "w.test", uri: "/auth" };
const GET = "GET /anything HTTP/1.0";

function relayed(...headers: readonly string[]): string[] | undefined {
  return relayedRequest([GET, ...headers], endpoint, true)?.split("\r\n");
}

test("a lookup goes to the endpoint's own place, with the caller's headers and key, and none of ours but who we are", () => {
  const own = ["Auth-Method: plain", "X-Auth-Key: the caller's", "Client-IP: 192.0.2.1"];
  const lines = relayed("Host: 127.0.0.1", "Connection: close", "Content-Length: 5", ...own);
  assert.deepEqual(lines?.slice(0, 5), ["GET /auth HTTP/1.1", "Host: w.test", ...own]);
  assert.match(lines[5]!, /^User-Agent: postern\//);
  assert.deepEqual(lines.slice(6), ["", ""]);
});

test("login and password, which nginx sends with raw bytes, are escaped towards https, once", () => {
  const lines = relayed("Auth-User: \xc3\xa4%20%25", "Auth-Pass: \x7f\xff", "X: \xc3");
  assert.deepEqual(lines?.slice(2, 5), ["Auth-User: %C3%A4%20%25", "Auth-Pass: %7F%FF", "X: \xc3"]);
  const broken = relayed("Auth-Pass: 100%");
  assert.equal(broken?.[2], "Auth-Pass: 100%");
});

describe("no lookup is", () => {
  for (const start of [
    "POST /auth HTTP/1.1",
    "GET /auth",
    "GET  HTTP/1.0",
    "GET /a b HTTP/1.0",
    "",
  ]) {
    test(JSON.stringify(start), () => assert.equal(relayedRequest([start], endpoint, true), null));
  }
  for (const header of ["no colon", ": no name", "a b: c", "A: b\rc", "A: b\0", " folded: x"]) {
    test(`one with the header ${JSON.stringify(header)}`, () => {
      assert.equal(relayed(header), undefined);
    });
  }
});

test("property: however odd the headers, a line of the caller's is one line or none", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (headers) => {
      const lines = relayed(...headers);
      if (lines !== undefined) assert.ok(lines.length <= headers.length + 5);
      for (const line of lines ?? []) assert.doesNotMatch(line, /[\r\n\0]/);
    }),
  );
});

function reply(...lines: readonly string[]): string[] {
  const input = new Input();
  input.append(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  return relayedReply(new HeadReader(false).next(input)!).split("\r\n");
}

const END = ["Content-Length: 0", "Connection: close", "", ""];

test("nginx is told what is for it, and nothing else", () => {
  const yes = ["auth-status: OK", "auth-server: 192.0.2.1", "auth-port: 143", "auth-pass: p%20"];
  const more = ["CF-Ray: x", "Set-Cookie: a=b", "Cache-Control: max-age=9"];
  assert.deepEqual(reply("HTTP/1.1 200 OK", ...more, ...yes), ["HTTP/1.1 200 OK", ...yes, ...END]);
  const no = ["auth-status: no", "auth-wait: 3"];
  assert.deepEqual(reply("HTTP/1.1 200 OK", ...no), ["HTTP/1.1 200 OK", ...no, ...END]);
  const away = ["auth-status: later", "auth-error-code: 451 4.3.0"];
  const unavailable = "HTTP/1.1 503 Service Unavailable";
  assert.deepEqual(reply(unavailable, ...away), [unavailable, ...away, ...END]);
});

test("a refusal stays one, whatever follows it", () => {
  const yes = ["Auth-Status: OK", "Auth-Server: 192.0.2.1", "Auth-Port: 143"];
  assert.ok(reply("HTTP/1.1 200 OK", "Auth-Status: no", ...yes).includes("auth-status: no"));
});

describe("nginx, which takes silence and error pages for a yes, is not shown", () => {
  const yes = ["Auth-Server: 192.0.2.1", "Auth-Port: 143"];
  const REPLIES = {
    "a yes without its word": ["HTTP/1.1 200 OK", ...yes],
    "a yes on an error page": ["HTTP/1.1 500 Error", "Auth-Status: OK", ...yes],
    "a refused key": ["HTTP/1.1 403 Forbidden", "Content-Length: 20"],
    "a yes without a server": ["HTTP/1.1 200 OK", "Auth-Status: OK"],
  };
  for (const [name, lines] of Object.entries(REPLIES)) {
    test(name, () => assert.deepEqual(reply(...lines), ["HTTP/1.1 502 Bad Gateway", ...END]));
  }
});
