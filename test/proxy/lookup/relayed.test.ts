import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { relayedReply, relayedRequest } from "../../../proxy/lookup/relayed.ts";
import { HeadReader } from "../../../proxy/lookup/reply.ts";
import { Input } from "../../../proxy/transport/index.ts";
import { unescapeBytes } from "../../../shared/lookup.ts";
import { SEED } from "../../support/property.ts";

const endpoint = { https: true, host: "w.test", port: 443, hostHeader: "w.test", uri: "/auth" };
const GET = "GET /anything HTTP/1.0";

function relayed(...headers: readonly string[]): string[] | undefined {
  return relayedRequest([GET, ...headers], endpoint, true)?.split("\r\n");
}

test("a relayed lookup has the endpoint's URI and Host, the caller's Auth headers and key, and Postern's User-Agent", () => {
  const callerHeaders = ["Auth-Method: plain", "X-Auth-Key: the caller's", "Client-IP: 192.0.2.1"];
  const lines = relayed(
    "Host: 127.0.0.1",
    "Connection: close",
    "Content-Length: 5",
    ...callerHeaders,
  );
  assert.deepEqual(lines?.slice(0, 5), ["GET /auth HTTP/1.1", "Host: w.test", ...callerHeaders]);
  assert.match(lines[5]!, /^User-Agent: postern\//);
  assert.deepEqual(lines.slice(6), ["", ""]);
});

test("a login and a password, which nginx sends with raw bytes, are escaped once towards https", () => {
  const lines = relayed("Auth-User: \xc3\xa4%20%25", "Auth-Pass: \x7f\xff", "X: \xc3");
  assert.deepEqual(lines?.slice(2, 5), ["Auth-User: %C3%A4%20%25", "Auth-Pass: %7F%FF", "X: \xc3"]);
  const malformed = relayed("Auth-Pass: 100%");
  assert.equal(malformed?.[2], "Auth-Pass: 100%");
});

describe("a request that is not a lookup", () => {
  for (const start of [
    "POST /auth HTTP/1.1",
    "GET /auth",
    "GET  HTTP/1.0",
    "GET /a b HTTP/1.0",
    "",
  ]) {
    test(`the request line ${JSON.stringify(start)} is rejected`, () =>
      assert.equal(relayedRequest([start], endpoint, true), null));
  }
  for (const header of ["no colon", ": no name", "a b: c", "A: b\rc", "A: b\0", " folded: x"]) {
    test(`a request with the header ${JSON.stringify(header)} is rejected`, () => {
      assert.equal(relayed(header), undefined);
    });
  }
});

/** Characters of a header: mostly those of a good one. */
const chars = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...'aZ9-_ \t%:"\x7f\xe4\xff') },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  },
);
const names = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom(
      "Auth-User",
      "Auth-Pass",
      "X-Key",
      "Host",
      "Content-Length",
      "User-Agent",
      "TE",
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: chars, maxLength: 10 }) },
);
const headers = fc.array(
  fc.tuple(names, fc.constantFrom(": ", ":", ":\t "), fc.string({ unit: chars, maxLength: 30 })),
  { maxLength: 6 },
);

/** The headers that a lookup endpoint reads, as another parser of HTTP would (RFC 9112 section 5). */
function read(lines: readonly string[]): [name: string, value: string][] {
  return lines.map((line) => {
    const [, name = "", value = ""] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    return [name, value];
  });
}

test("for any headers of the caller, each that is not the connection's becomes one line with its value, and no other line appears", (t) => {
  let accepted = 0;
  const runs = 2000;
  fc.assert(
    fc.property(headers, (given) => {
      const lines = relayed(...given.map((parts) => parts.join("")));
      const isGood = given.every(
        // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
        ([name, , value]) => /^[\w-]+$/.test(name) && !/[\0-\x08\n-\x1f]/.test(value),
      );
      if (isGood) assert.notEqual(lines, undefined);
      if (lines === undefined) return;
      accepted++;
      for (const line of lines) assert.doesNotMatch(line, /[\r\n\0]/);
      assert.deepEqual(lines.slice(-2), ["", ""]);
      const [start, host, ...rest] = lines.slice(0, -2);
      assert.deepEqual([start, host], ["GET /auth HTTP/1.1", "Host: w.test"]);
      const kept = read(given.map((parts) => parts.join(""))).filter(
        ([name]) => !/^(?:host|content-length|user-agent|te)$/i.test(name),
      );
      const told = read(rest);
      assert.match(told.pop()?.[1] ?? "", /^postern\//);
      assert.equal(told.length, kept.length);
      for (const [index, [name, value]] of kept.entries()) {
        const [toldName = "", toldValue = ""] = told[index] ?? [];
        assert.equal(toldName, name);
        if (!/^auth-(?:user|pass)$/i.test(name)) assert.equal(toldValue, value);
        else {
          const login = unescaped(value);
          // A broken escape is the endpoint's to refuse.
          if (login === null) assert.equal(toldValue, value);
          else assert.doesNotMatch(toldValue, /[\x7f-\xff]/);
          assert.equal(unescaped(toldValue), login);
        }
      }
    }),
    { numRuns: runs, seed: SEED },
  );
  t.diagnostic(`${accepted} of ${runs} requests were accepted`);
  assert.ok(accepted > runs / 4 && accepted < runs, `${accepted} of ${runs}`);
});

/** @returns null for a broken escape */
function unescaped(value: string): string | null {
  try {
    return unescapeBytes(value);
  } catch {
    return null;
  }
}

function reply(...lines: readonly string[]): string[] {
  const input = new Input();
  input.append(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  return relayedReply(new HeadReader(false).next(input)!).split("\r\n");
}

const END = ["Content-Length: 0", "Connection: close", "", ""];

test("nginx gets the Auth headers of the reply, and no other header of the reply", () => {
  const yes = ["auth-status: OK", "auth-server: 192.0.2.1", "auth-port: 143", "auth-pass: p%20"];
  const more = ["CF-Ray: x", "Set-Cookie: a=b", "Cache-Control: max-age=9"];
  assert.deepEqual(reply("HTTP/1.1 200 OK", ...more, ...yes), ["HTTP/1.1 200 OK", ...yes, ...END]);
  const no = ["auth-status: no", "auth-wait: 3"];
  assert.deepEqual(reply("HTTP/1.1 200 OK", ...no), ["HTTP/1.1 200 OK", ...no, ...END]);
  const away = ["auth-status: later", "auth-error-code: 451 4.3.0"];
  const unavailable = "HTTP/1.1 503 Service Unavailable";
  assert.deepEqual(reply(unavailable, ...away), [unavailable, ...away, ...END]);
});

test("a refusal stays a refusal, although Auth-Status: OK follows", () => {
  const yes = ["Auth-Status: OK", "Auth-Server: 192.0.2.1", "Auth-Port: 143"];
  assert.ok(reply("HTTP/1.1 200 OK", "Auth-Status: no", ...yes).includes("auth-status: no"));
});

describe("a reply that nginx would mistake for a route becomes 502", () => {
  const yes = ["Auth-Server: 192.0.2.1", "Auth-Port: 143"];
  const REPLIES = {
    "a route without Auth-Status": ["HTTP/1.1 200 OK", ...yes],
    "a route with an error status": ["HTTP/1.1 500 Error", "Auth-Status: OK", ...yes],
    "a refusal of the key": ["HTTP/1.1 403 Forbidden", "Content-Length: 20"],
    "an OK without a server": ["HTTP/1.1 200 OK", "Auth-Status: OK"],
  };
  for (const [name, lines] of Object.entries(REPLIES)) {
    test(`${name} becomes 502`, () =>
      assert.deepEqual(reply(...lines), ["HTTP/1.1 502 Bad Gateway", ...END]));
  }
});
