// proxy_ssl starttls with upstreams that do not start TLS: the login fails, and no password is sent.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import type { Listener } from "../../support/peers/mailbox/index.ts";
import {
  anna,
  attempt,
  greeted,
  protocolNames,
  temporary,
  untilClosed,
} from "../../support/peers/mail-client.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";
import { silence, startUpstream } from "../../support/peers/upstream.ts";

/** Upstreams by login: a greeting, then a reply for each line; `logged` matches the failure in the log. */
const UPSTREAMS: Record<string, Record<ProtocolName, readonly string[]> & { logged: RegExp }> = {
  "offers-none": {
    imap: ["* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"],
    pop3: ["+OK hi\r\n", "+OK\r\nUSER\r\n.\r\n"],
    smtp: ["220 hi\r\n", "250-mx\r\n250 AUTH PLAIN\r\n"],
    logged: /\[error\] .* upstream does not offer (STARTTLS|STLS) while reading response/,
  },
  "refuses-it": {
    imap: ["* OK [CAPABILITY STARTTLS] hi\r\n", "postern NO later\r\n"],
    pop3: ["+OK hi\r\n", "+OK\r\nSTLS\r\n.\r\n", "-ERR later\r\n"],
    smtp: ["220 hi\r\n", "250-mx\r\n250 STARTTLS\r\n", "454 later\r\n"],
    logged: /\[error\] .* upstream refused (STARTTLS|STLS).*: ".*later" while reading response/,
  },
  "is-logged-in-already": {
    imap: ["* PREAUTH [CAPABILITY STARTTLS] hi\r\n"],
    pop3: ["+OKAY hi\r\n"],
    smtp: ["235 hi\r\n"],
    logged: /\[error\] .* upstream sent invalid response: ".* hi" while reading response/,
  },
  "goes-on-in-the-clear": {
    imap: [
      "* OK [CAPABILITY STARTTLS] hi\r\n",
      "postern OK go\r\n* CAPABILITY AUTH=PLAIN\r\npostern OK\r\na OK in\r\n",
    ],
    pop3: ["+OK hi\r\n", "+OK\r\nSTLS\r\n.\r\n", "+OK go\r\n+OK\r\nUSER\r\n.\r\n+OK\r\n+OK in\r\n"],
    smtp: [
      "220 hi\r\n",
      "250-mx\r\n250 STARTTLS\r\n",
      "220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n235 in\r\n",
    ],
    logged: /\[error\] .* upstream sent more than its answer to STARTTLS while reading response/,
  },
  "speaks-no-tls": {
    imap: ["* OK [CAPABILITY STARTTLS] hi\r\n", "postern OK go\r\n", "* OK hm\r\n"],
    pop3: ["+OK hi\r\n", "+OK\r\nSTLS\r\n.\r\n", "+OK go\r\n", "+OK hm\r\n"],
    smtp: ["220 hi\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n", "220 hm\r\n"],
    logged: /\[error\] .* while SSL handshaking to upstream/,
  },
};

const listeners = new Map<string, Listener>();
const receivedLines: string[] = [];
let endpoint: LookupEndpoint;
let postern: Servers<ProtocolName>;

before(async () => {
  for (const [name, replies] of Object.entries(UPSTREAMS)) {
    for (const protocol of protocolNames) {
      const upstream = await startUpstream(async (wire) => {
        const [greeting = "", ...answers] = replies[protocol];
        wire.write(greeting);
        for (const answer of answers) {
          // A TLS handshake has no lines.
          receivedLines.push(answer.includes(" hm") ? await wire.bytes(5) : await wire.line());
          wire.write(answer);
        }
        await silence();
      });
      listeners.set(`${protocol} ${name}`, upstream);
    }
  }
  endpoint = await startLookupEndpoint((lookup) => {
    const name = `${lookup.header("Auth-Protocol")} ${lookup.header("Auth-User")}`;
    return route(listeners.get(name)!.port);
  });
  postern = await startServers(
    `auth_http ${endpoint.address}; proxy_ssl starttls; proxy_ssl_verify off;`,
    inTheClear,
  );
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  for (const listener of listeners.values()) await listener.close();
});

for (const [login, { logged }] of Object.entries(UPSTREAMS)) {
  describe(`an upstream that ${login.replaceAll("-", " ")} with proxy_ssl starttls`, () => {
    for (const protocol of protocolNames) {
      test(`a ${protocol} login fails temporarily, and the log gives the reason`, async () => {
        const wire = await greeted(protocol, postern.ports[protocol]);
        assert.match(await attempt(protocol, wire, { ...anna, login }), temporary[protocol]);
        assert.deepEqual(await untilClosed(wire), []);
        const { port } = listeners.get(`${protocol} ${login}`)!;
        await postern.proxy.program.logs(new RegExp(`${logged.source}.*upstream: .*:${port}$`));
      });
    }
  });
}

test("an upstream that does not start TLS receives no password", () => {
  assert.ok(receivedLines.length > 0);
  const secrets = [anna.password, ...Object.keys(UPSTREAMS)];
  for (const secret of secrets) assert.ok(!receivedLines.some((line) => line.includes(secret)));
});
