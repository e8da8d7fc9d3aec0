// DNS does not answer: clients get a temporary failure, not that of a wrong password. When DNS answers again, logins
// succeed without a reload.
import assert from "node:assert/strict";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ProtocolName } from "../../shared/lookup.ts";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
  temporary,
  untilClosed,
} from "../support/peers/mail-client.ts";
import { startMailbox } from "../support/peers/mailbox/index.ts";
import { SERVFAIL, type Say, startNameServer, zone } from "../support/peers/name-server.ts";
import { lacking } from "../support/programs/requirements.ts";
import { makeScratch } from "../support/programs/scratch.ts";
import { type Servers, inTheClear, startServers } from "../support/programs/servers.ts";

const UPSTREAM = "mail.faults.test";
const ENDPOINT = "endpoint.faults.test";

/** Starts a mailbox for Anna, and a lookup endpoint that names its host. */
async function startBackends(t: TestContext): Promise<LookupEndpoint> {
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

/** Logs in by all protocols at once. */
async function assertAnswers(
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

// A TTL of 0, so that no answer is cached.
const WORKING: Say = zone({
  [`A ${UPSTREAM}`]: [{ type: "A", data: "127.0.0.1", ttl: 0 }],
  "PTR 1.0.0.127.in-addr.arpa": [{ type: "PTR", data: "client.faults.test", ttl: 0 }],
  "A client.faults.test": [{ type: "A", data: "127.0.0.1", ttl: 0 }],
});

const OUTAGES: Readonly<Record<string, Say>> = {
  "do not answer": () => [],
  "answer SERVFAIL": (query) => zone({ [`${query.type} ${query.name}`]: SERVFAIL })(query),
};

for (const [fail, outage] of Object.entries(OUTAGES)) {
  test(`while the name servers of "resolver" ${fail}, SMTP clients have no name and logins fail for now; both work once the servers answer again`, async (t) => {
    const endpoint = await startBackends(t);
    let say = WORKING;
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

    await assertAnswers(postern, granted);
    assert.equal(client(), "client.faults.test");
    say = outage;
    await assertAnswers(postern, temporary);
    assert.equal(client(), "[TEMPUNAVAIL]");
    await postern.proxy.program.logs(/\[error\] .*mail\.faults\.test.* could not be resolved/);
    say = WORKING;
    await assertAnswers(postern, granted);
    assert.equal(client(), "client.faults.test");
  });
}

test(
  "while the system's resolver cannot find the lookup endpoint or an upstream, logins fail for now; they succeed once it can",
  { skip: lacking("nss-wrapper") },
  async (t) => {
    const scratch = await makeScratch();
    t.after(scratch.remove);
    const hosts = join(scratch.path, "hosts");
    let changes = 0;
    /** Sets the names that the resolver finds. */
    const setNames = (...names: string[]): void => {
      writeFileSync(hosts, names.map((name) => `127.0.0.1 ${name}\n`).join(""));
      // The library reads the file again when its time differs by a second.
      utimesSync(hosts, ++changes, changes);
    };
    setNames(ENDPOINT, UPSTREAM);
    const endpoint = await startBackends(t);
    // A connection that is kept open would need no name.
    const own = `auth_http http://${ENDPOINT}:${endpoint.port}/auth; auth_http_keepalive off; upstream_allow 127.0.0.1;`;
    // The library reads its file again while other threads read the old names, so that a worker may have one thread.
    const environment = { NSS_WRAPPER_HOSTS: hosts, UV_THREADPOOL_SIZE: "1" };
    Object.assign(process.env, { LD_PRELOAD: "libnss_wrapper.so", ...environment });
    const names = Object.keys(environment);
    const postern = await startServers(
      own,
      inTheClear,
      names.map((name) => `env ${name};`).join(" "),
    );
    t.after(() => postern.stop());
    const { program } = postern.proxy;

    await assertAnswers(postern, granted);
    setNames(UPSTREAM);
    await assertAnswers(postern, temporary);
    await program.logs(
      /\[error\] .*auth http server .*endpoint\.faults\.test/,
      protocolNames.length,
    );
    setNames(ENDPOINT, UPSTREAM);
    await assertAnswers(postern, granted);
    setNames(ENDPOINT);
    await assertAnswers(postern, temporary);
    await program.logs(/\[error\] .*mail\.faults\.test/, protocolNames.length);
    setNames(ENDPOINT, UPSTREAM);
    await assertAnswers(postern, granted);
  },
);
