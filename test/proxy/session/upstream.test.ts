import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { type LookupEndpoint, route, startLookupEndpoint } from "../../support/lookup-endpoint.ts";
import type { Listener } from "../../support/mailbox/index.ts";
import {
  anna,
  attempt,
  greeted,
  protocolNames,
  temporary,
  untilClosed,
} from "../../support/mail-client.ts";
import { freePorts } from "../../support/ports.ts";
import { type Servers, inTheClear, startServers } from "../../support/servers.ts";
import { silence, startUpstream } from "../../support/upstream.ts";
import type { Wire } from "../../support/wire.ts";

/** What an upstream may do wrong; the login's name chooses. */
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
  const [nobody] = await freePorts(1);
  endpoint = await startLookupEndpoint((lookup) =>
    route(upstreams.get(lookup.header("Auth-User")!)?.port ?? nobody!),
  );
  postern = await startServers(`auth_http ${endpoint.address}; timeout 2s;`, inTheClear);
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  for (const upstream of upstreams.values()) await upstream.close();
});

describe("a client hears that it is temporary, and no more,", { concurrency: true }, () => {
  for (const protocol of protocolNames) {
    for (const login of ["is-not-there", ...Object.keys(UPSTREAMS)]) {
      test(`by ${protocol} when the mail server ${login.replaceAll("-", " ")}`, async () => {
        const wire = await greeted(protocol, postern.ports[protocol]);
        assert.match(await attempt(protocol, wire, { ...anna, login }), temporary[protocol]);
        assert.deepEqual(await untilClosed(wire), []);
      });
    }
  }
});

test("the error log names the upstream and tells what was wrong", () => {
  const { stderr } = postern.proxy.program;
  const lines = stderr.split("\n").filter((line) => line.includes("upstream: "));
  const of = (login: string): string =>
    lines.find((line) => line.includes(`login: "${login}"`)) ?? "";
  const where = String.raw`, client: 127\.0\.0\.1, server: .*, upstream: 127\.0\.0\.1:\d+$`;
  const written = (level: string, message: string, doing: string): RegExp =>
    new RegExp(String.raw`\[${level}\] .* ${message} while ${doing}${where}`);
  assert.match(
    of("says-nothing"),
    written(
      "info",
      String.raw`upstream timed out \(110: Connection timed out\)`,
      "connecting to upstream",
    ),
  );
  assert.match(
    of("is-not-there"),
    written(
      "error",
      String.raw`recv\(\) failed \(111: Connection refused\)`,
      "connecting to upstream",
    ),
  );
  assert.match(
    of("talks-without-end"),
    written("error", "upstream sent too long response line", "reading response from upstream"),
  );
  assert.match(
    of("speaks-no-mail"),
    written(
      "error",
      'upstream sent invalid response: "HTTP/1.1 400 Bad Request"',
      "reading response from upstream",
    ),
  );
});

describe("an upstream that refuses the login", () => {
  let refusing: Record<ProtocolName, Listener>;
  let asking: LookupEndpoint;
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
    asking = await startLookupEndpoint((lookup) =>
      route(refusing[lookup.header("Auth-Protocol") as ProtocolName].port),
    );
    const passing = (name: ProtocolName): string =>
      `${inTheClear[name]} proxy_pass_error_message on;`;
    servers = await startServers(`auth_http ${asking.address};`, {
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
    await asking.close();
    for (const protocol of protocolNames) await refusing[protocol].close();
  });

  const TOLD = {
    imap: ["a NO [OVERQUOTA] full"],
    pop3: ["-ERR [IN-USE] locked"],
    smtp: ["421-4.7.0 not", "421 4.7.0 now"],
  };
  for (const protocol of protocolNames) {
    test(`is passed on by ${protocol} with proxy_pass_error_message`, async () => {
      const wire = await greeted(protocol, servers.ports[protocol]);
      const told = [await attempt(protocol, wire), ...(await untilClosed(wire))];
      assert.deepEqual(told.slice(-TOLD[protocol].length), TOLD[protocol]);
    });

    test(`is a temporary failure of ${protocol} without it`, async () => {
      const wire = await greeted(protocol, servers.ports[`silent ${protocol}`]);
      assert.match(await attempt(protocol, wire), temporary[protocol]);
      assert.deepEqual(await untilClosed(wire), []);
    });
  }
});

describe("an upstream whose replies come a byte at a time", { concurrency: true }, () => {
  /** What it says, a reply for each line that it hears, and what the client then hears. */
  const REPLIES: Record<ProtocolName, readonly string[]> = {
    imap: ["* OK hi\r\n", "* 1 X\r\n+ go\r\n", "+ go\r\n", "* 2 Y\r\na OK in\r\n"],
    pop3: ["+OK hi\r\n", "+OK\r\n", "+OK in\r\n"],
    smtp: ["220-a\r\n220 b\r\n", "250-c\r\n250 d\r\n", "235-e\r\n235 f\r\n"],
  };
  const HEARD = { imap: ["* 2 Y", "a OK in"], pop3: ["+OK in"], smtp: ["235 2.0.0 OK"] };
  const slow = new Map<ProtocolName, Listener>();
  let asking: LookupEndpoint;
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
    asking = await startLookupEndpoint((lookup) =>
      route(slow.get(lookup.header("Auth-Protocol") as ProtocolName)?.port ?? 0),
    );
    servers = await startServers(`auth_http ${asking.address};`, inTheClear);
  });
  after(async () => {
    await servers.stop();
    await asking.close();
    for (const upstream of slow.values()) await upstream.close();
  });

  for (const protocol of protocolNames) {
    test(`says the same by ${protocol}`, async () => {
      const wire = await greeted(protocol, servers.ports[protocol]);
      const [first, ...more] = HEARD[protocol];
      assert.equal(await attempt(protocol, wire), first);
      for (const line of more) assert.equal(await wire.line(), line);
      wire.end();
    });
  }
});
