// Slow clients: a timeout ends each session, whatever the client sends.
import assert from "node:assert/strict";
import { type Socket, connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import {
  type LookupEndpoint,
  reply,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import { attempt, protocolNames, untilClosed } from "../support/peers/mail-client.ts";
import { type Servers, inTheClear, startServers } from "../support/programs/servers.ts";
import { Wire } from "../support/peers/wire.ts";

/** A timeout that no test reaches. */
const LONG = "100s";
let endpoint: LookupEndpoint;
let postern: Servers<"imap" | "pop3" | "smtp" | "delay" | "short" | "default">;

before(async () => {
  endpoint = await startLookupEndpoint(() => reply(200, { "Auth-Status": "no", "Auth-Wait": 1 }));
  const { imap, pop3, smtp } = inTheClear;
  const late = `timeout ${LONG}; login_timeout 1s;`;
  postern = await startServers(`auth_http ${endpoint.address};`, {
    imap: `${imap} ${late}`,
    pop3: `${pop3} ${late}`,
    smtp: `${smtp} ${late}`,
    delay: `${smtp} ${late} smtp_greeting_delay ${LONG};`,
    short: `${imap} timeout 1s; login_timeout ${LONG};`,
    default: `${imap} timeout 1s;`,
  });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
});

function dial(port: number): { socket: Socket; wire: Wire } {
  const socket = connect(port, "127.0.0.1");
  return { socket, wire: new Wire(socket) };
}

/** Sends a byte every 50 ms until the end. */
async function trickle(socket: Socket): Promise<void> {
  while (socket.writable) {
    socket.write("a");
    await pass(50);
  }
}

const FAREWELL = {
  imap: "* BYE timed out",
  pop3: "-ERR timed out",
  smtp: "421 4.4.2 timed out",
};

describe("a client that sends a byte every 50 ms", { concurrency: true }, () => {
  for (const protocol of protocolNames) {
    test(`is told by ${protocol} that login_timeout has passed`, async () => {
      const { socket, wire } = dial(postern.ports[protocol]);
      await wire.line();
      void trickle(socket);
      assert.deepEqual(await untilClosed(wire), [FAREWELL[protocol]]);
    });
  }

  for (const name of ["short", "default"] as const) {
    test(`is closed without a reply when timeout has passed, as in nginx (${name})`, async () => {
      const { socket, wire } = dial(postern.ports[name]);
      await wire.line();
      void trickle(socket);
      assert.deepEqual(await untilClosed(wire), []);
    });
  }
});

test("a client that is refused again and again, each time with a new timeout, is ended by login_timeout", async () => {
  const { wire } = dial(postern.ports.imap);
  await wire.line();
  assert.equal(await attempt("imap", wire, { login: "anna", password: "wrong" }), "a NO no");
  assert.deepEqual(await untilClosed(wire), [FAREWELL.imap]);
});

test("a client whose greeting is delayed beyond login_timeout never gets it, and the log says in which state it timed out", async () => {
  const { wire } = dial(postern.ports.delay);
  assert.deepEqual(await untilClosed(wire), [FAREWELL.smtp]);
  await postern.proxy.program.logs(
    /\[info\] .*: \*\d+ client timed out \(110: Connection timed out\) while in delay pipelining state, client: 127\.0\.0\.1, /,
  );
});
