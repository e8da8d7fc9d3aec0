// Logins through the proxies that networks really have, to real mail servers.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type LookupEndpoint, route, startLookupEndpoint } from "../support/lookup-endpoint.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
  temporary,
} from "../support/mail-client.ts";
import {
  type Dovecot,
  type OutboundPeer,
  type Postfix,
  startDante,
  startDovecot,
  startPostfix,
  startSquid,
  startTinyproxy,
} from "../support/real-servers/index.ts";
import { freePorts } from "../support/ports.ts";
import { lacking } from "../support/requirements.ts";
import { type Servers, inTheClear, startServers } from "../support/servers.ts";

const skip = lacking("dovecot", "postfix", "squid", "tinyproxy", "dante", "htpasswd", "openssl");

const login = { user: "proxyuser", password: "s3cret-word" };
const account = { address: anna.login, password: anna.password };

/** Each proxy's URL, and how it tells of a wrong password and of a server that is not there. */
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

describe("through", { skip }, () => {
  let dovecot: Dovecot;
  let postfix: Postfix;
  let endpoint: LookupEndpoint;
  let postern: Servers<string>;
  const peers: OutboundPeer[] = [];

  before(async () => {
    dovecot = await startDovecot([account]);
    postfix = await startPostfix(dovecot, [account]);
    const squid = await startSquid(login);
    const tinyproxy = await startTinyproxy(login);
    const dante = await startDante(login);
    peers.push(squid, tinyproxy, dante);
    const [nobody = 0] = await freePorts(1);
    const places: Record<string, number> = {
      imap: dovecot.imap,
      pop3: dovecot.pop3,
      smtp: postfix.smtp,
    };
    endpoint = await startLookupEndpoint((lookup) =>
      route(
        lookup.header("Auth-User") === "nobody" ? nobody : places[lookup.header("Auth-Protocol")!]!,
        { "Auth-User": anna.login },
      ),
    );
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
  });
  after(async () => {
    await postern.stop();
    await endpoint.close();
    for (const peer of peers) await peer.stop();
    await postfix.stop();
    await dovecot.stop();
  });

  for (const [name, { unknown, unreachable }] of Object.entries(PROXIES)) {
    for (const protocol of protocolNames) {
      test(`${name} a login by ${protocol} reaches the server, and what follows as well`, async () => {
        const wire = await greeted(protocol, postern.ports[`${name} ${protocol}`]!);
        assert.match(await attempt(protocol, wire), granted[protocol]);
        wire.write({ imap: "b NOOP\r\n", pop3: "NOOP\r\n", smtp: "NOOP\r\n" }[protocol]);
        assert.match(await wire.line(), { imap: /^b OK/, pop3: /^\+OK/, smtp: /^250/ }[protocol]);
        wire.end();
      });
    }

    test(`${name} nobody comes who says the wrong password to it`, async () => {
      const wire = await greeted("imap", postern.ports[`${name} wrong`]!);
      assert.match(await attempt("imap", wire), temporary.imap);
      await postern.proxy.program.logs(new RegExp(`outbound proxy 127.0.0.1:\\d+ ${unknown}`));
    });

    test(`${name} a server that is not there is a temporary failure`, async () => {
      const wire = await greeted("imap", postern.ports[`${name} imap`]!);
      const answer = await attempt("imap", wire, { ...anna, login: "nobody" });
      assert.match(answer, temporary.imap);
      await postern.proxy.program.logs(new RegExp(`outbound proxy 127.0.0.1:\\d+ ${unreachable}`));
    });
  }

  test("none of them a password got into the log", () => {
    assert.doesNotMatch(postern.proxy.program.stderr, /s3cret|wrong-word/);
  });
});
