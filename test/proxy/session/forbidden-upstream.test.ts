// Lookup replies that lie: addresses that a lookup endpoint elsewhere has no business with are not dialled.
import assert from "node:assert/strict";
import { type TestContext, describe, test } from "node:test";
import { type Answer, route, startLookupEndpoint } from "../../support/peers/lookup-endpoint.ts";
import { type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
  temporary,
} from "../../support/peers/mail-client.ts";
import { type TestProxy, startConnectProxy } from "../../support/peers/outbound-proxies.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";

interface Site extends Servers<ProtocolName> {
  readonly mailbox: Mailbox;
  /** The proxy to the endpoint. */
  readonly tunnels: TestProxy;
}

/** Postern with an endpoint that has another machine's name. @param answer given the mail server's port */
async function site(
  t: TestContext,
  answer: (port: number) => ReturnType<Answer>,
  directives = "",
): Promise<Site> {
  const mailbox = await startMailbox({ name: "mail1", users: [{ ...anna, address: anna.login }] });
  t.after(() => mailbox.close());
  const endpoint = await startLookupEndpoint((lookup) =>
    answer(mailbox[lookup.header("Auth-Protocol") as ProtocolName].port),
  );
  t.after(() => endpoint.close());
  const tunnels = await startConnectProxy({ names: ["lookup.example.test"] });
  t.after(() => tunnels.close());
  const servers = await startServers(
    `auth_http http://lookup.example.test:${endpoint.port}/auth;
     auth_http_proxy http://127.0.0.1:${tunnels.port}; ${directives}`,
    inTheClear,
  );
  t.after(() => servers.stop());
  return { ...servers, mailbox, tunnels };
}

describe("a remote lookup endpoint", { concurrency: 2 }, () => {
  test("that names loopback is not followed: a temporary failure, and one line with the remedy", async (t) => {
    const { ports, proxy, mailbox } = await site(t, (port) => route(port));
    for (const protocol of protocolNames) {
      const wire = await greeted(protocol, ports[protocol]);
      assert.match(await attempt(protocol, wire, anna), temporary[protocol]);
      wire.end();
    }
    const line =
      /\[error\] .* upstream 127\.0\.0\.1:\d+ is refused: a lookup endpoint elsewhere may not name a loopback address, unless "upstream_allow 127\.0\.0\.1;" permits it while connecting to upstream, client: /;
    assert.equal((await proxy.program.logs(line, 3)).length, 3);
    for (const protocol of protocolNames) assert.deepEqual(mailbox[protocol].lines, []);
  });

  test("is followed where upstream_allow permits", async (t) => {
    const { ports } = await site(t, (port) => route(port), "upstream_allow 127.0.0.0/8;");
    const wire = await greeted("imap", ports.imap);
    assert.match(await attempt("imap", wire, anna), granted.imap);
    wire.end();
  });

  test("that names a name of loopback is not followed, at any of its addresses", async (t) => {
    const { ports, proxy, mailbox } = await site(t, (port) =>
      route(port, { "Auth-Server": "mail.localhost" }),
    );
    const wire = await greeted("imap", ports.imap);
    assert.match(await attempt("imap", wire, anna), temporary.imap);
    await proxy.program.logs(
      /upstream 127\.0\.0\.1:\d+ is refused: .*, upstream: 127\.0\.0\.1:\d+$/,
    );
    assert.deepEqual(mailbox.imap.lines, []);
  });

  test("that names metadata first and a fallback that is permitted gets the fallback", async (t) => {
    const { ports, proxy } = await site(
      t,
      (port) =>
        route(port, {
          "Auth-Server": "169.254.169.254",
          "Auth-Port": 80,
          "Auth-Fallback": `127.0.0.1:${port}`,
        }),
      "upstream_allow 127.0.0.1;",
    );
    const wire = await greeted("imap", ports.imap);
    assert.match(await attempt("imap", wire, anna), granted.imap);
    await proxy.program.logs(/upstream 169\.254\.169\.254:80 is refused: .* metadata address/);
    wire.end();
  });

  test("has no tunnel opened to a literal address that is forbidden, nor to localhost", async (t) => {
    for (const host of ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "localhost"]) {
      const outbound = await startConnectProxy();
      t.after(() => outbound.close());
      const { ports, proxy } = await site(
        t,
        (port) => route(port, { "Auth-Server": host }),
        `outbound_proxy http://127.0.0.1:${outbound.port};`,
      );
      const wire = await greeted("imap", ports.imap);
      assert.match(await attempt("imap", wire, anna), temporary.imap);
      await proxy.program.logs(/is refused: a lookup endpoint elsewhere may not name a loopback/);
      assert.deepEqual(outbound.asked, []);
    }
  });
});
