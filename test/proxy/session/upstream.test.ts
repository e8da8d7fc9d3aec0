import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
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
import { freePorts } from "../../support/programs/ports.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";
import { silence, startUpstream } from "../../support/peers/upstream.ts";
import type { Wire } from "../../support/peers/wire.ts";

/** Faulty upstreams by login. */
const UPSTREAMS: Record<string, (wire: Wire) => Promise<void>> = {
  "says-nothing": silence,
  "hangs-up-at-once": async () => {},
  "hangs-up-in-a-line": async (wire) => wire.write("* OK"),
  "speaks-no-mail": async (wire) => {
    wire.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    await silence();
  },
  "talks-without-end": async (wire) => {
    wire.write("x".repeat(100_000));
    await silence();
  },
  "greets-without-end": async (wire) => {
    wire.write("220-hello\r\n* hello\r\n".repeat(5000));
    await silence();
  },
};

const upstreams = new Map<string, Listener>();
let endpoint: LookupEndpoint;
let postern: Servers<ProtocolName>;

before(async () => {
  for (const [name, script] of Object.entries(UPSTREAMS)) {
    upstreams.set(name, await startUpstream(script));
  }
  const [closedPort] = await freePorts(1);
  endpoint = await startLookupEndpoint((lookup) =>
    route(upstreams.get(lookup.header("Auth-User")!)?.port ?? closedPort!),
  );
  postern = await startServers(`auth_http ${endpoint.address}; timeout 2s;`, inTheClear);
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  for (const upstream of upstreams.values()) await upstream.close();
});

describe("a login at a faulty upstream", { concurrency: true }, () => {
  for (const protocol of protocolNames) {
    for (const login of ["has-a-closed-port", ...Object.keys(UPSTREAMS)]) {
      test(`a ${protocol} login fails temporarily when the mail server ${login.replaceAll("-", " ")}`, async () => {
        const wire = await greeted(protocol, postern.ports[protocol]);
        assert.match(await attempt(protocol, wire, { ...anna, login }), temporary[protocol]);
        assert.deepEqual(await untilClosed(wire), []);
      });
    }
  }
});

test("the error log names the faulty upstream and gives the reason", () => {
  const { stderr } = postern.proxy.program;
  const lines = stderr.split("\n").filter((line) => line.includes("upstream: "));
  const lineOf = (login: string): string =>
    lines.find((line) => line.includes(`login: "${login}"`)) ?? "";
  const context = String.raw`, client: 127\.0\.0\.1, server: .*, upstream: 127\.0\.0\.1:\d+$`;
  const pattern = (level: string, message: string, doing: string): RegExp =>
    new RegExp(String.raw`\[${level}\] .* ${message} while ${doing}${context}`);
  assert.match(
    lineOf("says-nothing"),
    pattern(
      "info",
      String.raw`upstream timed out \(110: Connection timed out\)`,
      "connecting to upstream",
    ),
  );
  assert.match(
    lineOf("has-a-closed-port"),
    pattern(
      "error",
      String.raw`recv\(\) failed \(111: Connection refused\)`,
      "connecting to upstream",
    ),
  );
  assert.match(
    lineOf("talks-without-end"),
    pattern("error", "upstream sent too long response line", "reading response from upstream"),
  );
  assert.match(
    lineOf("speaks-no-mail"),
    pattern(
      "error",
      'upstream sent invalid response: "HTTP/1.1 400 Bad Request"',
      "reading response from upstream",
    ),
  );
});

describe("an upstream that refuses the login", () => {
  let refusing: Record<ProtocolName, Listener>;
  let lookupEndpoint: LookupEndpoint;
  let servers: Servers<"imap" | "pop3" | "smtp" | "silent imap" | "silent pop3" | "silent smtp">;

  before(async () => {
    refusing = {
      imap: await startUpstream(async (wire) => {
        wire.write("* OK ready\r\n");
        const [tag] = (await wire.line()).split(" ");
        wire.write(`* OK [ALERT] full\r\n${tag} NO [OVERQUOTA] full\r\n`);
        await silence();
      }),
      pop3: await startUpstream(async (wire) => {
        wire.write("+OK ready\r\n");
        await wire.line();
        wire.write("-ERR [IN-USE] locked\r\n");
        await silence();
      }),
      smtp: await startUpstream(async (wire) => {
        wire.write("220 ready\r\n");
        await wire.line();
        wire.write("421-4.7.0 not\r\n421 4.7.0 now\r\n");
        await silence();
      }),
    };
    lookupEndpoint = await startLookupEndpoint((lookup) =>
      route(refusing[lookup.header("Auth-Protocol") as ProtocolName].port),
    );
    const passing = (name: ProtocolName): string =>
      `${inTheClear[name]} proxy_pass_error_message on;`;
    servers = await startServers(`auth_http ${lookupEndpoint.address};`, {
      imap: passing("imap"),
      pop3: passing("pop3"),
      smtp: passing("smtp"),
      "silent imap": inTheClear.imap,
      "silent pop3": inTheClear.pop3,
      "silent smtp": inTheClear.smtp,
    });
  });
  after(async () => {
    await servers.stop();
    await lookupEndpoint.close();
    for (const protocol of protocolNames) await refusing[protocol].close();
  });

  const REFUSAL_LINES = {
    imap: ["a NO [OVERQUOTA] full"],
    pop3: ["-ERR [IN-USE] locked"],
    smtp: ["421-4.7.0 not", "421 4.7.0 now"],
  };
  for (const protocol of protocolNames) {
    test(`proxy_pass_error_message passes the upstream's refusal to the ${protocol} client`, async () => {
      const wire = await greeted(protocol, servers.ports[protocol]);
      const lines = [await attempt(protocol, wire), ...(await untilClosed(wire))];
      assert.deepEqual(lines.slice(-REFUSAL_LINES[protocol].length), REFUSAL_LINES[protocol]);
    });

    test(`a refused ${protocol} login fails temporarily without proxy_pass_error_message`, async () => {
      const wire = await greeted(protocol, servers.ports[`silent ${protocol}`]);
      assert.match(await attempt(protocol, wire), temporary[protocol]);
      assert.deepEqual(await untilClosed(wire), []);
    });
  }
});

describe("an upstream whose replies arrive byte by byte", { concurrency: true }, () => {
  /** The upstream's greeting, and then a reply for each line. */
  const REPLIES: Record<ProtocolName, readonly string[]> = {
    imap: ["* OK hi\r\n", "* 1 X\r\n+ go\r\n", "+ go\r\n", "* 2 Y\r\na OK in\r\n"],
    pop3: ["+OK hi\r\n", "+OK\r\n", "+OK in\r\n"],
    smtp: ["220-a\r\n220 b\r\n", "250-c\r\n250 d\r\n", "235-e\r\n235 f\r\n"],
  };
  const CLIENT_LINES = { imap: ["* 2 Y", "a OK in"], pop3: ["+OK in"], smtp: ["235 2.0.0 OK"] };
  const slow = new Map<ProtocolName, Listener>();
  let lookupEndpoint: LookupEndpoint;
  let servers: Servers<ProtocolName>;

  before(async () => {
    for (const protocol of protocolNames) {
      const upstream = await startUpstream(async (wire) => {
        for (const [index, reply] of REPLIES[protocol].entries()) {
          if (index > 0) await wire.line();
          for (const byte of reply) {
            wire.write(byte);
            await setImmediate();
          }
        }
        await silence();
      });
      slow.set(protocol, upstream);
    }
    lookupEndpoint = await startLookupEndpoint((lookup) =>
      route(slow.get(lookup.header("Auth-Protocol") as ProtocolName)?.port ?? 0),
    );
    servers = await startServers(`auth_http ${lookupEndpoint.address};`, inTheClear);
  });
  after(async () => {
    await servers.stop();
    await lookupEndpoint.close();
    for (const upstream of slow.values()) await upstream.close();
  });

  for (const protocol of protocolNames) {
    test(`a ${protocol} client gets the same reply as from one piece`, async () => {
      const wire = await greeted(protocol, servers.ports[protocol]);
      const [first, ...more] = CLIENT_LINES[protocol];
      assert.equal(await attempt(protocol, wire), first);
      for (const line of more) assert.equal(await wire.line(), line);
      wire.end();
    });
  }
});
