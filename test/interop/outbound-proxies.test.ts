// Logins at real mail servers through squid, tinyproxy and dante.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { route, startLookupEndpoint } from "../support/peers/lookup-endpoint.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
  temporary,
} from "../support/peers/mail-client.ts";
import {
  startDante,
  startDovecot,
  startPostfix,
  startSquid,
  startTinyproxy,
} from "../support/real-servers/index.ts";
import { freePorts } from "../support/programs/ports.ts";
import { lacking } from "../support/programs/requirements.ts";
import { type Servers, inTheClear, startServers } from "../support/programs/servers.ts";

const skip = lacking("dovecot", "postfix", "squid", "tinyproxy", "dante", "htpasswd", "openssl");

const login = { user: "proxyuser", password: "s3cret-word" };
const account = { address: anna.login, password: anna.password };

/** The user whose server is down. */
const DOWN = "down";

/** The URL of each proxy, and its answers to a wrong password and for a server that is down. */
const PROXIES = {
  squid: {
    url: "http://LOGIN@127.0.0.1:CLEAR",
    unknown: "answered 407 Proxy Authentication Required",
    unreachable: "answered 503 Service Unavailable",
  },
  "squid under TLS": {
    url: "https://LOGIN@127.0.0.1:TLS",
    unknown: "answered 407 Proxy Authentication Required",
    unreachable: "answered 503 Service Unavailable",
  },
  tinyproxy: {
    url: "http://LOGIN@127.0.0.1:TINY",
    unknown: "answered 401 Unauthorized",
    unreachable: "answered 500 Internal Server Error",
  },
  dante: {
    url: "socks5://LOGIN@127.0.0.1:DANTE",
    unknown: "refused the user name or password",
    unreachable: "answered 5 Connection refused",
  },
} as const;

describe("an outbound proxy:", { skip }, () => {
  const started = new AsyncDisposableStack();
  let postern: Servers<string>;

  before(async () => {
    const dovecot = await startDovecot([account]);
    started.defer(() => dovecot.stop());
    const postfix = await startPostfix(dovecot, [account]);
    started.defer(() => postfix.stop());
    const squid = await startSquid(login);
    started.defer(() => squid.stop());
    const tinyproxy = await startTinyproxy(login);
    started.defer(() => tinyproxy.stop());
    const dante = await startDante(login);
    started.defer(() => dante.stop());
    const [unused = 0] = await freePorts(1);
    const ports: Record<string, number> = {
      imap: dovecot.imap,
      pop3: dovecot.pop3,
      smtp: postfix.smtp,
    };
    const endpoint = await startLookupEndpoint((lookup) => {
      const isDown = lookup.header("Auth-User") === DOWN;
      const port = isDown ? unused : ports[lookup.header("Auth-Protocol")!]!;
      return route(port, { "Auth-User": anna.login });
    });
    started.defer(() => endpoint.close());
    const servers: Record<string, string> = {};
    for (const [name, { url }] of Object.entries(PROXIES)) {
      const at = url
        .replace("CLEAR", `${squid.ports[0]}`)
        .replace("TLS", `${squid.ports[1]}`)
        .replace("TINY", `${tinyproxy.ports[0]}`)
        .replace("DANTE", `${dante.ports[0]}`);
      for (const protocol of protocolNames) {
        const directive = `outbound_proxy ${at.replace("LOGIN", `${login.user}:${login.password}`)};`;
        servers[`${name} ${protocol}`] = `${inTheClear[protocol]} ${directive}`;
      }
      const wrong = `outbound_proxy ${at.replace("LOGIN", `${login.user}:wrong-word`)};`;
      servers[`${name} wrong`] = `${inTheClear.imap} ${wrong}`;
    }
    process.env["NODE_EXTRA_CA_CERTS"] = squid.certificateFile;
    postern = await startServers(`auth_http ${endpoint.address};`, servers);
    started.defer(() => postern.stop());
  });
  after(() => started.disposeAsync());

  for (const [name, { unknown, unreachable }] of Object.entries(PROXIES)) {
    for (const protocol of protocolNames) {
      test(`a login by ${protocol} through ${name} reaches the server, and so do later commands`, async () => {
        const wire = await greeted(protocol, postern.ports[`${name} ${protocol}`]!);
        assert.match(await attempt(protocol, wire), granted[protocol]);
        wire.write({ imap: "b NOOP\r\n", pop3: "NOOP\r\n", smtp: "NOOP\r\n" }[protocol]);
        assert.match(await wire.line(), { imap: /^b OK/, pop3: /^\+OK/, smtp: /^250/ }[protocol]);
        wire.end();
      });
    }

    test(`a wrong password at ${name} is a temporary failure for the client, and the log says why`, async () => {
      const wire = await greeted("imap", postern.ports[`${name} wrong`]!);
      assert.match(await attempt("imap", wire), temporary.imap);
      await postern.proxy.program.logs(new RegExp(`outbound proxy 127.0.0.1:\\d+ ${unknown}`));
    });

    test(`a server that ${name} cannot reach is a temporary failure, and the log says why`, async () => {
      const wire = await greeted("imap", postern.ports[`${name} imap`]!);
      const answer = await attempt("imap", wire, { ...anna, login: DOWN });
      assert.match(answer, temporary.imap);
      await postern.proxy.program.logs(new RegExp(`outbound proxy 127.0.0.1:\\d+ ${unreachable}`));
    });
  }

  test("no password of a proxy is in the log", () => {
    assert.doesNotMatch(postern.proxy.program.stderr, /s3cret|wrong-word/);
  });
});
