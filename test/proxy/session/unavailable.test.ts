import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import {
  type Answer,
  type Lookup,
  type LookupEndpoint,
  never,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import {
  anna,
  attempt,
  greeted,
  protocolNames,
  temporary,
  untilClosed,
} from "../../support/peers/mail-client.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";

const WORDS = { imap: "[UNAVAILABLE] later", pop3: "[SYS/TEMP] later", smtp: "later" };

/** Failures of the lookup endpoint by login. */
const FAILURES: Record<string, Answer> = {
  "answers-500": () => reply(500, {}),
  "answers-403": () => reply(403, {}),
  "answers-302": () => reply(302, { Location: "http://127.0.0.1/" }),
  "answers-500-with-yes": () => route(1).replace("200", "500"),
  "says-garbage": () => "\0\x01\x02 what?\r\n\r\n",
  "says-another-protocol": () => "SSH-2.0-OpenSSH_9.2\r\n",
  "says-nothing": () => "",
  "stops-in-the-middle": () => "HTTP/1.1 200 OK\r\nAuth-Status: O",
  "talks-without-end": () => `HTTP/1.1 200 OK\r\n${`X: ${"x".repeat(1000)}\r\n`.repeat(20)}\r\n`,
  "never-answers": never,
  "has-no-status": () => reply(200, { "Auth-Server": "127.0.0.1", "Auth-Port": 1 }),
  "says-ok-in-small-letters": () => route(1).replace("OK", "ok").replace("Auth-Status: ok", "X: y"),
  "has-no-server": () => reply(200, { "Auth-Status": "OK" }),
  "has-a-bad-port": () => route(70_000),
  "answers-503-with-words": (lookup) =>
    reply(503, { ...wordsFor(lookup), "Auth-Error-Code": "451 4.3.0" }),
  "answers-503-with-words-and-no-code": (lookup) => reply(503, wordsFor(lookup)),
  "answers-503-with-the-code-of-a-refusal": (lookup) =>
    reply(503, { ...wordsFor(lookup), "Auth-Error-Code": "535 5.7.8" }),
};

function wordsFor(lookup: Lookup): { "Auth-Status": string } {
  return { "Auth-Status": WORDS[lookup.header("Auth-Protocol") as ProtocolName] };
}

let endpoint: LookupEndpoint;
let postern: Servers<ProtocolName>;
let withoutEndpoint: Servers<ProtocolName>;

before(async () => {
  endpoint = await startLookupEndpoint((lookup) => FAILURES[lookup.header("Auth-User")!]!(lookup));
  const [closedPort] = await freePorts(1);
  [postern, withoutEndpoint] = await Promise.all([
    startServers(`auth_http ${endpoint.address}; auth_http_timeout 500ms;`, inTheClear),
    startServers(`auth_http http://127.0.0.1:${closedPort}/;`, inTheClear),
  ]);
});
after(async () => {
  await Promise.all([postern.stop(), withoutEndpoint.stop()]);
  await endpoint.close();
});

describe("a failed lookup", { concurrency: true }, () => {
  for (const protocol of protocolNames) {
    for (const login of Object.keys(FAILURES)) {
      test(`a ${protocol} login fails temporarily, without a word about the credentials, when the endpoint ${login.replaceAll("-", " ")}`, async () => {
        const wire = await greeted(protocol, postern.ports[protocol]);
        const answer = await attempt(protocol, wire, { ...anna, login });
        assert.match(answer, temporary[protocol]);
        assert.doesNotMatch(answer, /invalid|password|credentials/i);
        assert.deepEqual(await untilClosed(wire), []);
      });
    }

    test(`a ${protocol} login fails temporarily when the endpoint's port is closed`, async () => {
      const wire = await greeted(protocol, withoutEndpoint.ports[protocol]);
      assert.match(await attempt(protocol, wire), temporary[protocol]);
      assert.deepEqual(await untilClosed(wire), []);
    });
  }
});

test("each failed lookup writes one line to the error log, which names the endpoint", () => {
  const lines = postern.proxy.program.stderr.split("\n");
  for (const login of Object.keys(FAILURES)) {
    const failures = lines.filter(
      (line) => line.includes("[error]") && line.includes(`login: "${login}"`),
    );
    assert.equal(failures.length, protocolNames.length, login);
    for (const line of failures)
      assert.ok(line.includes(`auth http server 127.0.0.1:${endpoint.port} `), line);
  }
});
