// outbound_proxy and auth_http_proxy with whole logins: the tunnel's requests, the client's replies and the log.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import {
  anna,
  attempt,
  greeted,
  loggedIn,
  protocolNames,
  temporary,
  untilClosed,
} from "../../support/peers/mail-client.ts";
import {
  type TestProxy,
  startConnectProxy,
  startScriptedProxy,
} from "../../support/peers/outbound-proxies.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/peers/upstream.ts";

const SECRET = "s%cr:t";
const login = `proxyuser:${SECRET}`;

let mailbox: Mailbox;
let endpoint: LookupEndpoint;

before(async () => {
  mailbox = await startMailbox({ name: "mail1", users: [{ ...anna, address: anna.login }] });
  endpoint = await startLookupEndpoint((lookup) =>
    route(mailbox[lookup.header("Auth-Protocol") as ProtocolName].port),
  );
});
after(async () => {
  await mailbox.close();
  await endpoint.close();
});

describe("outbound_proxy with credentials in a file", () => {
  let proxy: TestProxy;
  let postern: Servers<ProtocolName>;
  before(async () => {
    proxy = await startConnectProxy({ login, together: true });
    const scratch = await makeScratch();
    const file = join(scratch.path, "secret");
    await writeFile(file, `${login}\n`);
    const directive = `outbound_proxy http://127.0.0.1:${proxy.port} credentials=${file};`;
    postern = await startServers(`auth_http ${endpoint.address}; ${directive}`, inTheClear);
    await scratch.remove();
  });
  after(async () => {
    await postern.stop();
    await proxy.close();
  });

  for (const protocol of protocolNames) {
    test(`a login by ${protocol} goes through the proxy, also if the banner arrives together with the 200`, async () => {
      const wire = await loggedIn(protocol, postern.ports[protocol]);
      wire.end();
      const request = `CONNECT 127.0.0.1:${mailbox[protocol].port} HTTP/1.1\r\n`;
      assert.ok(proxy.asked.some((head) => head.startsWith(request)));
    });
  }
});

test("a PROXY header goes through the outbound proxy to the server", async (t) => {
  const headers: string[] = [];
  const upstream = await startUpstream(async (wire) => {
    headers.push(await wire.line());
    await grantImap(wire);
    await silence();
  });
  t.after(() => upstream.close());
  const lookupEndpoint = await startLookupEndpoint(() => route(upstream.port));
  t.after(() => lookupEndpoint.close());
  const proxy = await startConnectProxy();
  t.after(() => proxy.close());
  const directives = `proxy_protocol on; outbound_proxy http://127.0.0.1:${proxy.port};`;
  const postern = await startServers(`auth_http ${lookupEndpoint.address}; ${directives}`, {
    imap: inTheClear.imap,
  });
  t.after(() => postern.stop());
  const wire = await loggedIn("imap", postern.ports.imap);
  wire.end();
  assert.match(headers.join(), /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+$/);
  assert.equal(proxy.asked.length, 1);
});

test("the outbound proxy resolves a server's name, and a failure leads to the next server", async (t) => {
  const lookupEndpoint = await startLookupEndpoint(() =>
    route(mailbox.imap.port, {
      "Auth-Server": "gone.nowhere.example",
      "Auth-Fallback": `mail.nowhere.example:${mailbox.imap.port}`,
    }),
  );
  t.after(() => lookupEndpoint.close());
  const proxy = await startConnectProxy({ names: ["mail.nowhere.example"] });
  t.after(() => proxy.close());
  const postern = await startServers(
    `auth_http ${lookupEndpoint.address}; outbound_proxy http://127.0.0.1:${proxy.port};`,
    { imap: inTheClear.imap },
  );
  t.after(() => postern.stop());
  const wire = await loggedIn("imap", postern.ports.imap);
  wire.end();
  assert.deepEqual(
    proxy.asked.map((head) => head.split(":")[0]),
    ["CONNECT gone.nowhere.example", "CONNECT mail.nowhere.example"],
  );
});

describe("outbound_proxy of a server, and outbound_proxy_bypass", () => {
  let proxy: TestProxy;
  let postern: Servers<"through" | "off" | "bypass">;
  before(async () => {
    proxy = await startConnectProxy();
    postern = await startServers(
      `auth_http ${endpoint.address}; outbound_proxy http://127.0.0.1:${proxy.port};`,
      {
        through: inTheClear.imap,
        off: `${inTheClear.imap} outbound_proxy off;`,
        bypass: `${inTheClear.imap} outbound_proxy_bypass localhost|127.0.0.0/8;`,
      },
    );
  });
  after(async () => {
    await postern.stop();
    await proxy.close();
  });

  for (const [name, tunnels] of [
    ["through", 1],
    ["off", 0],
    ["bypass", 0],
  ] as const) {
    test(`a login at the server "${name}" opens ${tunnels === 1 ? "a tunnel" : "no tunnel"}`, async () => {
      const earlier = proxy.asked.length;
      const wire = await loggedIn("imap", postern.ports[name]);
      wire.end();
      assert.equal(proxy.asked.length - earlier, tunnels);
    });
  }
});

describe("auth_http_proxy", () => {
  test("lookups go through the proxy, and the proxy resolves the endpoint's name", async (t) => {
    const proxy = await startConnectProxy({ login, names: ["auth.nowhere.example"] });
    t.after(() => proxy.close());
    const url = `http://proxyuser:s%25cr%3At@127.0.0.1:${proxy.port}`;
    const postern = await startServers(
      `auth_http http://auth.nowhere.example:${endpoint.port}/auth; auth_http_proxy ${url};
       upstream_allow 127.0.0.1;`,
      { imap: inTheClear.imap },
    );
    t.after(() => postern.stop());
    for (let session = 0; session < 2; session++) {
      const wire = await loggedIn("imap", postern.ports.imap);
      wire.end();
    }
    assert.equal(proxy.asked.length, 1, "the connection is kept");
    assert.match(proxy.asked[0]!, /^CONNECT auth\.nowhere\.example:/);
    assert.doesNotMatch(postern.proxy.program.stderr, /s%25?cr/);
  });

  test("a refusal by the proxy is a temporary failure, and the log gives the reason", async (t) => {
    const proxy = await startConnectProxy({ login });
    t.after(() => proxy.close());
    const postern = await startServers(
      `auth_http ${endpoint.address}; auth_http_proxy http://127.0.0.1:${proxy.port};`,
      { imap: inTheClear.imap },
    );
    t.after(() => postern.stop());
    const wire = await greeted("imap", postern.ports.imap);
    assert.match(await attempt("imap", wire), temporary.imap);
    const reason = `outbound proxy 127.0.0.1:${proxy.port} answered 407 Proxy Authentication Required`;
    await postern.proxy.program.logs(
      new RegExp(`auth http server 127.0.0.1:${endpoint.port} ${reason}`),
    );
  });
});

/** Proxies that open no tunnel, with the reason in the log. */
const FAILING_PROXIES: Readonly<
  Record<string, readonly [Parameters<typeof startScriptedProxy>[0], string]>
> = {
  refuses: [
    async (wire) => wire.write("HTTP/1.1 502 Bad Gateway\r\n\r\n"),
    "answered 502 Bad Gateway",
  ],
  "is silent": [silence, "timed out (110: Connection timed out)"],
  "sends garbage": [
    async (wire) => {
      wire.write("\0\0\0\0\n");
      await silence();
    },
    "sent invalid response",
  ],
  "sends too much": [
    async (wire) => {
      wire.write(`HTTP/1.1 200 OK\r\nA: ${"x".repeat(20_000)}`);
      await silence();
    },
    "sent too long response",
  ],
  "hangs up": [async () => {}, "closed the connection"],
};

describe("an outbound proxy that opens no tunnel", { concurrency: true }, () => {
  let postern: Servers<string>;
  const proxies = new Map<string, TestProxy>();

  before(async () => {
    const servers: Record<string, string> = {};
    for (const [name, [script]] of Object.entries(FAILING_PROXIES)) {
      const proxy = await startScriptedProxy(script);
      proxies.set(name, proxy);
      const directive = `outbound_proxy http://u:SECRET@127.0.0.1:${proxy.port};`;
      for (const protocol of protocolNames) {
        servers[`${name} ${protocol}`] = `${inTheClear[protocol]} ${directive}`;
      }
    }
    postern = await startServers(`auth_http ${endpoint.address}; timeout 2s;`, servers);
  });
  after(async () => {
    await postern.stop();
    for (const proxy of proxies.values()) await proxy.close();
  });

  for (const [name, [, reason]] of Object.entries(FAILING_PROXIES)) {
    for (const protocol of protocolNames) {
      test(`a proxy that ${name} fails a ${protocol} login temporarily, and the log names the proxy`, async () => {
        const wire = await greeted(protocol, postern.ports[`${name} ${protocol}`]!);
        assert.match(await attempt(protocol, wire), temporary[protocol]);
        assert.deepEqual(await untilClosed(wire), []);
        const { program } = postern.proxy;
        const message = `outbound proxy 127.0.0.1:${proxies.get(name)?.port} ${reason}`;
        await program.logs(
          new RegExp(
            `\\[error\\] .* ${message.replaceAll(/[().]/g, "\\$&")} while connecting to upstream, client: `,
          ),
        );
        assert.doesNotMatch(program.stderr, /SECRET/);
      });
    }
  }
});
