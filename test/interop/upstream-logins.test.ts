// Logins at real mail servers that require TLS, accept tokens, or want to know the address of the client.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { writeCertificate } from "../support/certificates/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { type LoggedIn, logIn } from "../support/proxy/upstream-login.ts";
import type { Account, ClientInfo } from "../../proxy/protocols/index.ts";
import { SocketClientTls, openConnection } from "../../proxy/transport/index.ts";
import type { ProtocolName, TlsMode } from "../../shared/lookup.ts";
import { transport } from "../support/transport/connections.ts";
import { clearClient } from "../support/proxy/protocol-client.ts";
import { client } from "../support/proxy/login-script.ts";
import { attempt, granted, greeted } from "../support/peers/mail-client.ts";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import {
  type Dovecot,
  type Postfix,
  startDovecot,
  startPostfix,
} from "../support/real-servers/index.ts";
import { lacking } from "../support/programs/requirements.ts";
import { type Scratch, makeScratch } from "../support/programs/scratch.ts";
import { type Servers, inTheClear, startServers } from "../support/programs/servers.ts";
import { Wire } from "../support/peers/wire.ts";

const alice = { address: "alice@example.test", password: "wonderland" };
const master = { address: "master", password: "key" };
/** Dovecot trusts a client with its own address; connections to this address come from 127.0.0.1. */
const ELSEWHERE = "127.0.0.2";
/** A client with an address for documentation (RFC 5737). */
const facts: ClientInfo = { ...client, address: "198.51.100.7", session: "a0b1c2d3" };

/** Dovecot does not delay failed logins. */
const NO_DELAY = `auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}`;

interface Login {
  readonly protocol: ProtocolName;
  readonly port: number;
  readonly host?: string;
  readonly account?: Partial<Account>;
  readonly mode?: TlsMode;
}

describe("mail servers that require TLS", { skip: lacking("dovecot", "postfix") }, () => {
  let scratch: Scratch;
  let dovecot: Dovecot;
  let postfix: Postfix;
  let tls: SocketClientTls;
  let endpoint: LookupEndpoint;
  let postern: Servers<ProtocolName>;

  before(async () => {
    scratch = await makeScratch();
    const { certificate } = await writeCertificate(scratch.path, "mail.test");
    tls = new SocketClientTls({ verify: true, trusted: certificate });
    const file = (name: string) => join(scratch.path, name);
    dovecot = await startDovecot(
      [alice],
      master,
      `listen = 127.0.0.1, ${ELSEWHERE}
      ssl = required
      ssl_cert = <${file("certificate.pem")}
      ssl_key = <${file("key.pem")}
      disable_plaintext_auth = yes
      ${NO_DELAY}`,
    );
    postfix = await startPostfix(
      dovecot,
      [alice],
      `smtpd_tls_security_level = encrypt
      smtpd_tls_auth_only = yes
      smtpd_tls_chain_files = ${file("key.pem")}, ${file("certificate.pem")}`,
    );
    endpoint = await startLookupEndpoint((lookup) => {
      const { port, host = "" } = to(lookup.header("Auth-Protocol") as ProtocolName);
      return route(port, { "Auth-Server": host });
    });
    postern = await startServers(
      `auth_http ${endpoint.address}; proxy_ssl starttls; proxy_ssl_name mail.test;
      proxy_ssl_trusted_certificate ${file("certificate.pem")};`,
      inTheClear,
    );
  });
  after(async () => {
    await postern.stop();
    await endpoint.close();
    await postfix.stop();
    await dovecot.stop();
    await scratch.remove();
  });

  const to = (protocol: ProtocolName): Login => ({
    protocol,
    port: protocol === "smtp" ? postfix.smtp : dovecot[protocol],
    host: protocol === "smtp" ? "127.0.0.1" : ELSEWHERE,
  });

  for (const protocol of ["imap", "pop3", "smtp"] as const) {
    test(`accept a login by ${protocol} after STARTTLS`, async () => {
      const { end } = await login({ ...to(protocol), mode: "starttls" }, tls);
      assert.equal(end.kind, "accepted");
    });

    test(`serve a client that is in the clear by ${protocol} with proxy_ssl starttls`, async () => {
      const wire = await greeted(protocol, postern.ports[protocol]);
      const { address, password } = alice;
      assert.match(await attempt(protocol, wire, { login: address, password }), granted[protocol]);
      wire.end();
    });

    test(`refuse a wrong password by ${protocol} with their own reply`, async () => {
      const wrong = { ...to(protocol), mode: "starttls", account: { password: "wrong" } } as const;
      const { end } = await login(wrong, tls);
      assert.equal(end.kind, "refused");
      const words = { imap: /\[AUTHENTICATIONFAILED\]/, pop3: /\[AUTH\]/, smtp: /^535 5\.7\.8 / };
      assert.match("reply" in end ? end.reply : "", words[protocol]);
    });

    test(`get a token as the password by ${protocol} where they announce no token mechanism`, async () => {
      const account = { bearer: "xoauth2" } as const;
      const { end } = await login({ ...to(protocol), mode: "starttls", account }, tls);
      assert.equal(end.kind, "accepted");
    });
  }

  test("accept a master user that logs in as another user", async () => {
    const account = { login: `${alice.address}*master`, password: master.password };
    for (const protocol of ["imap", "pop3", "smtp"] as const) {
      const { end } = await login({ ...to(protocol), mode: "starttls", account }, tls);
      assert.equal(end.kind, "accepted", protocol);
    }
  });

  test("get no password in the clear where they announce that they accept none", async () => {
    const account = { bearer: "xoauth2" } as const;
    for (const each of [to("imap"), { ...to("pop3"), account }, { ...to("smtp"), account }]) {
      const { end } = await login(each, tls);
      assert.equal(end.kind, "impossible");
    }
  });
});

describe("a Dovecot that validates tokens at a provider", { skip: lacking("dovecot") }, () => {
  const tls = new SocketClientTls({ verify: true, trusted: null });
  let scratch: Scratch;
  let provider: Server;
  let dovecot: Dovecot;

  before(async () => {
    scratch = await makeScratch();
    provider = createServer(({ headers }, response) => {
      const active = headers.authorization === "Bearer good";
      response.end(JSON.stringify({ active, email: alice.address }));
    }).listen(0, "127.0.0.1");
    await once(provider, "listening");
    const { port } = provider.address() as AddressInfo;
    const file = join(scratch.path, "oauth2.conf");
    await writeFile(
      file,
      `introspection_mode = auth
introspection_url = http://127.0.0.1:${port}/
username_attribute = email
active_attribute = active
active_value = true
`,
    );
    dovecot = await startDovecot(
      [alice],
      null,
      `auth_mechanisms = plain login xoauth2 oauthbearer
      ${NO_DELAY}
      passdb {
        driver = oauth2
        mechanisms = xoauth2 oauthbearer
        args = ${file}
      }`,
    );
  });
  after(async () => {
    await dovecot.stop();
    provider.close();
    provider.closeAllConnections();
    await scratch.remove();
  });

  for (const protocol of ["imap", "pop3"] as const) {
    for (const bearer of ["xoauth2", "oauthbearer"] as const) {
      test(`gets the token of the client by ${protocol} and ${bearer}`, async () => {
        const account = { password: "good", bearer };
        const { end } = await login({ protocol, port: dovecot[protocol], account }, tls);
        assert.equal(end.kind, "accepted");
        const wrong = { ...account, password: "stolen" };
        const refused = await login({ protocol, port: dovecot[protocol], account: wrong }, tls);
        assert.equal(refused.end.kind, "refused");
      });
    }
  }
});

/** A client behind a load balancer, after its greeting. */
async function introduced(port: number): Promise<Wire> {
  const wire = new Wire(connect(port, "127.0.0.1"));
  wire.write("PROXY TCP4 198.51.100.7 127.0.0.1 51234 143\r\n");
  await wire.line();
  return wire;
}

async function logged(postfix: Postfix, pattern: RegExp): Promise<void> {
  await eventually(`Postfix logs ${pattern.source}`, async () => pattern.test(await postfix.log()));
}

async function login(
  { protocol, port, host = "127.0.0.1", account, mode = "off" }: Login,
  tls: SocketClientTls,
): Promise<LoggedIn> {
  const upstream = await openConnection(transport, { host, port }, new AbortController().signal);
  const talking = clearClient(protocol, { proxy_smtp_auth: true, xclient: false });
  if (protocol === "imap") talking.say("a LOGIN alice secret");
  const who = { login: alice.address, password: alice.password, bearer: null, ...account };
  const security = { tls: mode, tlsName: "mail.test" };
  try {
    return await logIn(upstream, talking.handler, who, facts, security, tls);
  } finally {
    upstream.destroy();
  }
}

describe("proxy_client_id", { skip: lacking("dovecot", "postfix") }, () => {
  let dovecot: Dovecot;
  let postfix: Postfix;
  let endpoint: LookupEndpoint;
  let postern: Servers<ProtocolName>;

  before(async () => {
    dovecot = await startDovecot(
      [alice],
      null,
      `login_trusted_networks = 127.0.0.1
      login_log_format_elements = user=<%u> rip=%r rport=%b lip=%l lport=%a session=<%{session}>`,
    );
    postfix = await startPostfix(dovecot, [alice], "smtpd_authorized_xclient_hosts = 127.0.0.1");
    const ports = { imap: dovecot.imap, pop3: dovecot.pop3, smtp: postfix.smtp };
    endpoint = await startLookupEndpoint((lookup) =>
      route(ports[lookup.header("Auth-Protocol") as ProtocolName]),
    );
    const server = (protocol: ProtocolName) =>
      `listen 127.0.0.1:PORT proxy_protocol; protocol ${protocol}; set_real_ip_from 127.0.0.1;`;
    postern = await startServers(
      `auth_http ${endpoint.address}; proxy_client_id on; proxy_smtp_auth on;`,
      { imap: server("imap"), pop3: server("pop3"), smtp: server("smtp") },
    );
  });
  after(async () => {
    await postern.stop();
    await endpoint.close();
    await postfix.stop();
    await dovecot.stop();
  });

  const LOGGED = {
    imap: /imap-login: Info: Login: user=<alice@example.test>, rip=198.51.100.7, rport=51234, lip=127.0.0.1, lport=\d+, session=<[0-9a-f]{32}>/,
    pop3: /pop3-login: Info: Login: user=<alice@example.test>, rip=198.51.100.7, rport=51234, .*session=<[0-9a-f]{32}>/,
  };
  for (const protocol of ["imap", "pop3", "smtp"] as const) {
    test(`tells the upstream who the client is, by ${protocol}`, async () => {
      const wire = await introduced(postern.ports[protocol]);
      assert.match(
        await attempt(protocol, wire, { login: alice.address, password: alice.password }),
        granted[protocol],
      );
      if (protocol === "smtp") {
        const { address } = alice;
        wire.write(`MAIL FROM:<${address}>\r\nRCPT TO:<${address}>\r\n`);
        assert.match(await wire.line(), /^250 /);
        assert.match(await wire.line(), /^250 /);
        await logged(postfix, /client=unknown\[198\.51\.100\.7\], .*sasl_username=alice/);
      } else await dovecot.program.logs(LOGGED[protocol]);
      wire.end();
    });
  }
});
