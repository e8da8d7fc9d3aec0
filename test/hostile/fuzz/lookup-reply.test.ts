// Replies of a lookup endpoint.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readFreshness } from "../../../proxy/lookup/freshness.ts";
import { HeadReader, InvalidReply, type ReplyHead } from "../../../proxy/lookup/reply.ts";
import { Input, TooLong } from "../../../proxy/transport/index.ts";
import { isIp } from "../../../shared/address.ts";
import { inputs } from "../../support/property.ts";
import { Share, lines, mutated, readInPieces } from "./mutation.ts";

const HEADERS = [
  "Auth-Status: OK",
  "Auth-Server: 192.0.2.7",
  "Auth-Server: mail.example.test",
  "Auth-Port: 143",
  "Auth-User: anna%40example",
  "Auth-Pass: p%20w",
  "Auth-Wait: 3",
  "Auth-Fallback: 192.0.2.8:143, [2001:db8::1]:993, mail.test:143",
  "Auth-Upstream-TLS: starttls",
  "Auth-Upstream-Name: mail.example.test",
  "Auth-Error-Code: 535 5.7.8",
  "Auth-Error-SASL: eyJ9",
  "Auth-Status: WAIT",
  "Auth-Status: Invalid login",
  "Cache-Control: private, max-age=30, stale-if-error=600",
  "Content-Length: 5",
  "Transfer-Encoding: chunked",
  "Connection: close",
  "X:",
] as const;

const start = fc.constantFrom("HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 503 Away", "X: y");
const more = fc.array(fc.constantFrom(...HEADERS), { maxLength: 5 });
const head = fc
  .tuple(start, more)
  .map(([first, some]) => [first, "Auth-Status: OK", HEADERS[1], HEADERS[3], ...some, ""]);

type Read = ReplyHead | "waits" | "invalid";

function read(pieces: readonly string[]): Read {
  const reader = new HeadReader(true);
  const input = new Input();
  try {
    for (const piece of pieces) {
      input.append(Buffer.from(piece, "latin1"));
      const found = reader.next(input);
      if (found !== null) return found;
    }
    return "waits";
  } catch (error) {
    assert.ok(error instanceof InvalidReply || error instanceof TooLong, String(error));
    return "invalid";
  }
}

test("a reply is read alike however the network cuts it, and only OK alone is a yes", (t) => {
  const share = new Share();
  fc.assert(
    fc.property(mutated(lines(head)), (text) => {
      const found = readInPieces(text, read);
      const reply = typeof found === "object" ? found.reply : null;
      share.count(reply?.kind === "route");
      if (reply?.kind !== "route" || typeof found !== "object") return;
      assert.ok(found.status >= 200 && found.status <= 299);
      // A mistake may have ended the head early, and what follows is no header.
      const [before = ""] = text.split(/\n\r?\n/);
      const statuses = [...before.matchAll(/^auth-status[ \t]*:[ \t]*(.*?)[ \t]*\r?$/gim)];
      assert.deepEqual([...new Set(statuses.map(([, status]) => status))], ["OK"]);
      assert.doesNotMatch(`${reply.login}${reply.password}`, /[\r\n\0]/);
      for (const { host, port } of reply.route.servers) {
        assert.ok(isIp(host) || /^[A-Za-z0-9._-]{1,253}$/.test(host), host);
        assert.ok(port >= 1 && port <= 65_535);
      }
    }),
    inputs(2),
  );
  share.assertAbove(0.2, t);
});

test("a Cache-Control that says anything but a time lets nothing be remembered", (t) => {
  const share = new Share();
  const directive = fc.constantFrom(
    "max-age=30",
    "max-age=30",
    "private",
    "stale-if-error=600",
    'max-age="30"',
    "must-revalidate",
    "no-store",
    "no-cache",
    "x=y",
  );
  const header = fc
    .uniqueArray(directive, { minLength: 1, maxLength: 4 })
    .map((all) => all.join(", "));
  fc.assert(
    fc.property(mutated(header), (text) => {
      const freshness = readFreshness(text);
      share.count(freshness !== null);
      if (freshness === null) return;
      assert.ok(
        Number.isSafeInteger(freshness.maxAge) && Number.isSafeInteger(freshness.staleIfError),
      );
      assert.match(text, /max-age=/i);
      assert.doesNotMatch(text, /(?:^|,)[ \t]*no-(store|cache)[ \t]*(?:,|$)/i);
    }),
    inputs(),
  );
  share.assertAbove(0.1, t);
});
