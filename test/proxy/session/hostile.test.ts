import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import {
  type Answer,
  type Lookup,
  type LookupEndpoint,
  never,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  greetedSecurely,
  loggedIn,
  protocolNames,
  untilClosed,
} from "../../support/peers/mail-client.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";
import { Hangup } from "../../support/peers/wire.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";

let mailbox: Mailbox;
let answer: Answer;
let endpoint: LookupEndpoint;
let postern: Servers<
  ProtocolName | "imaps" | "hasty imap" | "hasty pop3" | "hasty smtp" | "hasty imaps"
>;

/** Routes the client to its mailbox. */
const routeToMailbox: Answer = (lookup) =>
  route(mailbox[lookup.header("Auth-Protocol") as ProtocolName].port);

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  answer = routeToMailbox;
  endpoint = await startLookupEndpoint((lookup) => answer(lookup));
  postern = await startServers(`auth_http ${endpoint.address};`, {
    ...inTheClear,
    imaps: "listen 127.0.0.1:PORT ssl; protocol imap;",
    "hasty imap": `${inTheClear.imap} timeout 300ms;`,
    "hasty pop3": `${inTheClear.pop3} timeout 300ms;`,
    "hasty smtp": `${inTheClear.smtp} timeout 300ms;`,
    "hasty imaps": "listen 127.0.0.1:PORT ssl; protocol imap; timeout 300ms;",
  });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await mailbox.close();
});

const HOSTILE_INPUTS: Record<ProtocolName, Record<string, string>> = {
  imap: {
    "a line of 10 MB": `a LOGIN ${"x".repeat(10_000_000)}`,
    "10 MB of line ends": "\r\n".repeat(5_000_000),
    "a non-synchronizing literal of 100 GB": `a LOGIN {99999999999+}\r\n${"x".repeat(1_000_000)}`,
    "a SASL response of 10 MB": `a AUTHENTICATE PLAIN\r\n${"A".repeat(10_000_000)}`,
    "10 MB of random bytes": "\x16\x03\x01\x02\0\x01\0\x01\xfc\xff\r\n".repeat(900_000),
  },
  pop3: {
    "a line of 10 MB": `USER ${"x".repeat(10_000_000)}`,
    "10 MB of line ends": "\r\n".repeat(5_000_000),
    "a SASL response of 10 MB": `AUTH PLAIN\r\n${"A".repeat(10_000_000)}`,
  },
  smtp: {
    "a line of 10 MB": `EHLO ${"x".repeat(10_000_000)}`,
    "10 MB of line ends": "\r\n".repeat(5_000_000),
    "a SASL response of 10 MB": `AUTH LOGIN\r\n${"A".repeat(10_000_000)}`,
  },
};

for (const protocol of protocolNames) {
  describe(protocol, () => {
    for (const [name, input] of Object.entries(HOSTILE_INPUTS[protocol])) {
      test(`${name} ends its own session with an error reply, and no other session`, async () => {
        const bystander = await loggedIn(protocol, postern.ports[protocol]);
        const waiting = await greeted(protocol, postern.ports[protocol]);
        const wire = await greeted(protocol, postern.ports[protocol]);
        wire.write(input);
        const lines = await untilClosed(wire);
        assert.match(lines.at(-1) ?? "", /BAD invalid|-ERR invalid|^500 /);
        bystander.write(protocol === "imap" ? "z NOOP\r\n" : "NOOP\r\n");
        assert.match(await bystander.line(), /OK/i);
        assert.match(await attempt(protocol, waiting), granted[protocol]);
        bystander.end();
        waiting.end();
      });
    }

    test("a client that sends nothing is closed after `timeout`", async () => {
      assert.deepEqual(
        await untilClosed(await greeted(protocol, postern.ports[`hasty ${protocol}`])),
        [],
      );
    });

    test("commands do not extend `timeout`", async () => {
      const wire = await greeted(protocol, postern.ports[`hasty ${protocol}`]);
      const noop = protocol === "imap" ? "a NOOP\r\n" : "NOOP\r\n";
      let answers = 0;
      try {
        // The session lasts 300 ms, which is some 30 turns.
        for (; answers < 200; answers++) {
          wire.write(noop);
          await wire.line();
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      } catch (error) {
        // Only the end of the connection is a success.
        if (!(error instanceof Hangup)) throw error;
      }
      assert.ok(answers > 0 && answers < 200, `${answers} answers`);
    });
  });
}

test("a client that never begins its handshake is closed after `timeout`", async () => {
  const socket = connect(postern.ports["hasty imaps"], "127.0.0.1");
  await once(socket.resume(), "close");
});

test("garbage instead of a handshake ends its own session, and no other session", async () => {
  const bystander = await greetedSecurely("imap", postern.ports.imaps);
  for (const garbage of [
    "a LOGIN anna x\r\n",
    "\0".repeat(1000),
    "\x16\x03\x01\x40\0".padEnd(2000, "\xff"),
  ]) {
    const socket = connect(postern.ports.imaps, "127.0.0.1");
    socket.on("error", () => {});
    socket.end(garbage, "latin1");
    await once(socket.resume(), "close");
  }
  assert.match(await attempt("imap", bystander), granted.imap);
  bystander.end();
});

test("a hundred clients that disconnect at different points of the login leave the server working", async () => {
  const commands = `a CAPABILITY\r\nb LOGIN ${anna.login} ${anna.password}\r\nc SELECT INBOX\r\n`;
  await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const socket = connect(postern.ports.imap, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.write(commands.slice(0, Math.floor((commands.length * index) / 100)));
      if (index % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }),
  );
  const wire = await loggedIn("imap", postern.ports.imap);
  wire.end();
});

for (const [how, leave] of [
  ["resets", "resetAndDestroy"],
  ["closes", "destroy"],
] as const) {
  test(`a client that ${how} during its lookup cancels the lookup`, async () => {
    const asked = new Promise<Lookup>((resolve) => {
      answer = (lookup) => {
        resolve(lookup);
        return never();
      };
    });
    const socket = connect(postern.ports.imap, "127.0.0.1");
    socket.write("a LOGIN anna x\r\n");
    const { gone } = await asked;
    answer = routeToMailbox;
    socket[leave]();
    await gone;
  });
}

test("a client that reads no replies is closed after `timeout`", async () => {
  const socket = connect(postern.ports["hasty imap"], "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.pause();
  socket.write("a CAPABILITY\r\n".repeat(900));
  const ended = (): boolean =>
    postern.sessions().some(({ remote_port }) => remote_port === socket.localPort);
  await eventually("the access log has the session", ended);
  socket.destroy();
});
