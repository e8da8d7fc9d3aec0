// The access to the list of sessions by `status_listen`.
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { ListedSession } from "../../../../proxy/observe/index.ts";
import { json } from "../../../../proxy/observe/pages/sessions-page.ts";
import { statusPages } from "../../../../proxy/observe/pages/status-pages.ts";

const pages = statusPages({
  ready: () => true,
  metrics: async () => "",
  async *sessions(silent) {
    yield [1, 2].map((connection) => ({ connection }) as ListedSession);
    silent(4711);
    yield [{ connection: 3 } as ListedSession];
  },
});

async function ask(remoteAddress: string | undefined, host?: string): Promise<[number, string]> {
  const request = { socket: { remoteAddress }, headers: { host } } as IncomingMessage;
  const { code, body } = await pages["/sessions"]!.GET!(request, new URLSearchParams());
  return [code, typeof body === "string" ? body : await text(body)];
}

test("a caller by a loopback address or a unix socket gets the sessions", async () => {
  const document = { sessions: [1, 2, 3].map((connection) => ({ connection })), silent: [4711] };
  for (const address of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", undefined]) {
    for (const host of [undefined, "localhost", "LocalHost:9143", "127.0.0.1:9143", "[::1]:9143"]) {
      const [code, body] = await ask(address, host);
      assert.equal(code, 200, `${address} ${host}`);
      assert.deepEqual(JSON.parse(body), document);
    }
  }
});

test("control characters in a name are escaped in the document", () => {
  const session = { user: "\x1b\x7f\x9b[2J\r\nä" } as ListedSession;
  const written = json(session);
  assert.match(written, /^[ -~ä]*$/);
  assert.deepEqual(JSON.parse(written), session);
});

test("any other caller is refused, as is a browser that a web site's own name has led here (DNS rebinding)", async () => {
  const callers: readonly (readonly [address: string, host: string])[] = [
    ["192.0.2.1", "localhost"],
    ["10.0.0.1", "127.0.0.1"],
    ["2001:db8::1", "[::1]"],
    ["::ffff:192.0.2.1", "127.0.0.1"],
    ["127.0.0.1", "evil.example:9143"],
    ["127.0.0.1", "localhost.evil.example"],
    ["127.0.0.1", "127.0.0.1.evil.example"],
    ["127.0.0.1", ""],
  ];
  for (const [address, host] of callers) {
    const [code, body] = await ask(address, host);
    assert.equal(code, 403, `${address} ${host}`);
    assert.match(body, /^only callers on this machine may list sessions/);
  }
});
