import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { type Listener, type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import { anna, greeted, untilClosed } from "../../support/peers/mail-client.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/peers/upstream.ts";
import { Wire } from "../../support/peers/wire.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";

let mailbox: Mailbox;
/** Returns each line behind the login as an untagged IMAP response. */
let echo: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<ProtocolName | "starttls imap" | "starttls pop3" | "starttls smtp">;

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  echo = await startUpstream(async (wire) => {
    await grantImap(wire);
    for (;;) wire.write(`* ${await wire.line()}\r\n`);
  });
  endpoint = await startLookupEndpoint((lookup) =>
    lookup.header("Auth-User") === "echo"
      ? route(echo.port)
      : route(mailbox[lookup.header("Auth-Protocol") as ProtocolName].port),
  );
  postern = await startServers(`auth_http ${endpoint.address};`, {
    ...inTheClear,
    "starttls imap": `${inTheClear.imap} starttls on;`,
    "starttls pop3": `${inTheClear.pop3} starttls on;`,
    "starttls smtp": `${inTheClear.smtp} starttls on;`,
  });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await echo.close();
  await mailbox.close();
});

const commands = Array.from({ length: 500 }, (_, index) => `c${index} NOOP`);
const bytes = [...`a LOGIN echo x\r\n${commands.join("\r\n")}\r\n`];

test("commands sent behind LOGIN reach the upstream once each, in order", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  wire.write(bytes.join(""));
  assert.equal(await wire.line(), "a OK logged in");
  for (const command of commands) assert.equal(await wire.line(), `* ${command}`);
  wire.end();
});

test("commands that arrive byte by byte during the lookup and the login reach the upstream once each, in order", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  for (const byte of bytes.slice(0, 3000)) {
    wire.write(byte);
    await new Promise(setImmediate);
  }
  wire.write(bytes.slice(3000).join(""));
  assert.equal(await wire.line(), "a OK logged in");
  for (const command of commands) assert.equal(await wire.line(), `* ${command}`);
  wire.end();
});

test("a client that sends more than the input buffer holds before the login loses no line", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  const line = `c ${"x".repeat(1000)}`;
  wire.write(`a LOGIN echo x\r\n${`${line}\r\n`.repeat(2000)}`);
  assert.equal(await wire.line(), "a OK logged in");
  for (let count = 0; count < 2000; count++) assert.equal(await wire.line(), `* ${line}`);
  wire.end();
});

test("bytes that an upstream sends right behind its login reply reach the client", async () => {
  const hasty = await startUpstream(async (wire) => {
    wire.write("* OK [CAPABILITY LITERAL+] ready\r\n");
    const [tag] = (await wire.line()).split(" ");
    await wire.line();
    await wire.line();
    wire.write(`* CAPABILITY IMAP4rev1\r\n${tag} OK in\r\n* 3 EXISTS\r\n* unfinished`);
  });
  const lookupEndpoint = await startLookupEndpoint(() => route(hasty.port));
  const servers = await startServers(`auth_http ${lookupEndpoint.address};`, {
    imap: inTheClear.imap,
  });
  const wire = await greeted("imap", servers.ports.imap);
  wire.write("a LOGIN echo x\r\n");
  const expected = "* CAPABILITY IMAP4rev1\r\na OK in\r\n* 3 EXISTS\r\n* unfinished";
  assert.equal(await wire.bytes(expected.length), expected);
  await servers.stop();
  await lookupEndpoint.close();
  await hasty.close();
});

describe("a client that sends FIN behind its last command, as nc -N does", () => {
  const COMMANDS: Record<ProtocolName, [commands: string, last: RegExp]> = {
    imap: [`a LOGIN ${anna.login} ${anna.password}\r\nb SELECT INBOX\r\nc LOGOUT\r\n`, /^c OK/],
    pop3: [`USER ${anna.login}\r\nPASS ${anna.password}\r\nSTAT\r\nQUIT\r\n`, /^\+OK/],
    smtp: [
      `EHLO me\r\nAUTH PLAIN ${btoa(`\0${anna.login}\0${anna.password}`)}\r\nNOOP\r\nQUIT\r\n`,
      /^221/,
    ],
  };
  const REPLY_LINES = { imap: 8, pop3: 4, smtp: 5 };
  for (const protocol of ["imap", "pop3", "smtp"] as const) {
    test(`the client gets every reply by ${protocol}`, async () => {
      const wire = new Wire(
        connect({ port: postern.ports[protocol], host: "127.0.0.1", allowHalfOpen: true }),
      );
      const [clientCommands, last] = COMMANDS[protocol];
      wire.write(clientCommands);
      wire.end();
      const lines = await untilClosed(wire);
      assert.ok(lines.length >= REPLY_LINES[protocol], lines.join("\n"));
      assert.match(lines.at(-1) ?? "", last);
    });
  }

  test("the client gets the replies to commands before a login", async () => {
    const wire = new Wire(
      connect({ port: postern.ports.imap, host: "127.0.0.1", allowHalfOpen: true }),
    );
    wire.write("a NOOP\r\nb CAPABILITY\r\nc NOOP\r\n");
    wire.end();
    const lines = await untilClosed(wire);
    assert.deepEqual([lines[1], lines.at(-1)], ["a OK completed", "c OK completed"]);
  });
});

describe("a command in the clear behind STARTTLS", () => {
  const INJECTIONS = {
    imap: "a STARTTLS\r\nb LOGIN anna injected\r\n",
    pop3: "STLS\r\nUSER anna\r\n",
    smtp: "STARTTLS\r\nAUTH PLAIN AGFubmEAaW5qZWN0ZWQ=\r\n",
  };
  for (const protocol of ["imap", "pop3", "smtp"] as const) {
    test(`an injected ${protocol} command ends the session, and is not executed`, async () => {
      const asked = endpoint.lookups.length;
      const wire = await greeted(protocol, postern.ports[`starttls ${protocol}`]);
      wire.write(INJECTIONS[protocol]);
      assert.deepEqual(await untilClosed(wire), []);
      assert.equal(endpoint.lookups.length, asked);
    });

    test(`a clear command in place of the handshake ends the ${protocol} session, and is not executed`, async () => {
      const asked = endpoint.lookups.length;
      const socket = connect(postern.ports[`starttls ${protocol}`], "127.0.0.1");
      const wire = new Wire(socket);
      await wire.line();
      const [upgrade = "", injected = ""] = INJECTIONS[protocol].split("\r\n");
      wire.write(`${upgrade}\r\n`);
      await wire.line();
      wire.write(`${injected}\r\n`);
      await once(socket, "close");
      assert.equal(endpoint.lookups.length, asked);
    });
  }
});

test("a client that leaves during a silent upstream's login closes the upstream connection", async () => {
  const silent = await startUpstream(silence);
  const lookupEndpoint = await startLookupEndpoint(() => route(silent.port));
  const servers = await startServers(`auth_http ${lookupEndpoint.address};`, {
    imap: inTheClear.imap,
  });
  const reached = once(silent, "connection");
  const client = connect(servers.ports.imap, "127.0.0.1").resume();
  client.write("a LOGIN anna x\r\n");
  const [upstream] = (await reached) as [NodeJS.EventEmitter];
  client.destroy();
  await once(upstream, "close");
  await servers.stop();
  await lookupEndpoint.close();
  await silent.close();
});
