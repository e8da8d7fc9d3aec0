// No answers from DNS: users hear that it is temporary, never that their password is wrong, and all is as before
// when it answers again. Nobody reloads anything.
import assert from "node:assert/strict";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ProtocolName } from "../../shared/lookup.ts";
import { type LookupEndpoint, route, startLookupEndpoint } from "../support/lookup-endpoint.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
  temporary,
  untilClosed,
} from "../support/mail-client.ts";
import { startMailbox } from "../support/mailbox/index.ts";
import { SERVFAIL, type Say, startNameServer, zone } from "../support/name-server.ts";
import { lacking } from "../support/requirements.ts";
import { makeScratch } from "../support/scratch.ts";
import { type Servers, inTheClear, startServers } from "../support/servers.ts";

const UPSTREAM = "mail.faults.test";
const ENDPOINT = "endpoint.faults.test";

/** Anna's mailbox, which the lookup knows by its name. */
async function startBackstage(t: TestContext): Promise<LookupEndpoint> {
  const users = [{ address: anna.login, password: anna.password }];
  const mailbox = await startMailbox({ name: "mail1", users });
  t.after(() => mailbox.close());
  const endpoint = await startLookupEndpoint((lookup) => {
    const { port } = mailbox[lookup.header("Auth-Protocol") as ProtocolName];
    return route(port, { "Auth-Server": UPSTREAM });
  });
  t.after(() => endpoint.close());
  return endpoint;
}

/** All protocols at once. */
async function allAnswer(
  { ports }: Servers<ProtocolName>,
  expected: Readonly<Record<ProtocolName, RegExp>>,
): Promise<void> {
  const outcomes = protocolNames.map(async (protocol) => {
    const wire = await greeted(protocol, ports[protocol]);
    const answer = await attempt(protocol, wire);
    wire.end();
    assert.deepEqual(await untilClosed(wire), []);
    return { protocol, answer };
  });
  for (const { protocol, answer } of await Promise.all(outcomes)) {
    assert.match(answer, expected[protocol]);
  }
}

// As long as they are known: not at all.
const HERE: Say = zone({
  [`A ${UPSTREAM}`]: [{ type: "A", data: "127.0.0.1", ttl: 0 }],
  "PTR 1.0.0.127.in-addr.arpa": [{ type: "PTR", data: "client.faults.test", ttl: 0 }],
  "A client.faults.test": [{ type: "A", data: "127.0.0.1", ttl: 0 }],
});

const OUTAGES: Readonly<Record<string, Say>> = {
  "do not answer": () => [],
  "answer SERVFAIL": (query) => zone({ [`${query.type} ${query.name}`]: SERVFAIL })(query),
};

for (const [fail, outage] of Object.entries(OUTAGES)) {
  test(`the name servers of "resolver" ${fail}: SMTP clients are greeted without a name, users hear that their server is away for now, and are in once names are found again`, async (t) => {
    const endpoint = await startBackstage(t);
    let say = HERE;
    const names = await startNameServer((query) => say(query));
    t.after(() => names.close());
    const postern = await startServers(
      `auth_http ${endpoint.address}; resolver ${names.address} ipv6=off; resolver_timeout 4s;`,
      inTheClear,
    );
    t.after(() => postern.stop());
    const client = () =>
      endpoint.lookups
        .findLast((lookup) => lookup.header("Auth-Protocol") === "smtp")
        ?.header("Client-Host");

    await allAnswer(postern, granted);
    assert.equal(client(), "client.faults.test");
    say = outage;
    await allAnswer(postern, temporary);
    assert.equal(client(), "[TEMPUNAVAIL]");
    await postern.proxy.program.logs(/\[error\] .*mail\.faults\.test.* could not be resolved/);
    say = HERE;
    await allAnswer(postern, granted);
    assert.equal(client(), "client.faults.test");
  });
}

test(
  "the system's resolver is down: while the lookup endpoint's name is not found, and while an upstream's is not, users hear that it is temporary, and are in once it is",
  { skip: lacking("nss-wrapper") },
  async (t) => {
    const scratch = await makeScratch();
    t.after(scratch.remove);
    const hosts = join(scratch.path, "hosts");
    let changes = 0;
    /** Names that there are, from now on. */
    const know = (...names: string[]): void => {
      writeFileSync(hosts, names.map((name) => `127.0.0.1 ${name}\n`).join(""));
      // The library reads it again when its time, in seconds, is another one.
      utimesSync(hosts, ++changes, changes);
    };
    know(ENDPOINT, UPSTREAM);
    const endpoint = await startBackstage(t);
    // Connections that are kept need no name.
    const own = `auth_http http://${ENDPOINT}:${endpoint.port}/auth; auth_http_keepalive off;`;
    Object.assign(process.env, { LD_PRELOAD: "libnss_wrapper.so", NSS_WRAPPER_HOSTS: hosts });
    const postern = await startServers(own, inTheClear, "env NSS_WRAPPER_HOSTS;");
    t.after(() => postern.stop());
    const { program } = postern.proxy;

    await allAnswer(postern, granted);
    know(UPSTREAM);
    await allAnswer(postern, temporary);
    await program.logs(
      /\[error\] .*auth http server .*endpoint\.faults\.test/,
      protocolNames.length,
    );
    know(ENDPOINT, UPSTREAM);
    await allAnswer(postern, granted);
    know(ENDPOINT);
    await allAnswer(postern, temporary);
    await program.logs(/\[error\] .*mail\.faults\.test/, protocolNames.length);
    know(ENDPOINT, UPSTREAM);
    await allAnswer(postern, granted);
  },
);
