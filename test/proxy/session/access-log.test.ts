import assert from "node:assert/strict";
import { readFileSync, watch } from "node:fs";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  type LookupEndpoint,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { anna, attempt, greeted, untilClosed } from "../../support/peers/mail-client.ts";
import { type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";

let mailbox: Mailbox;
let endpoint: LookupEndpoint;
let postern: Servers<"imap" | "balanced">;

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  const [closedPort = 0] = await freePorts(1);
  endpoint = await startLookupEndpoint((lookup) => {
    const login = lookup.header("Auth-User");
    if (login === "refused") return reply(200, { "Auth-Status": "Go away" });
    if (login === "failing") return reply(500, {});
    return route(login === "stranded" ? closedPort : mailbox.imap.port);
  });
  postern = await startServers(
    `auth_http ${endpoint.address};
     log_format short '$login $status $upstream_addr "$end"';
     access_log short.log short;
     access_log through.log short if=$logged_in;`,
    {
      imap: inTheClear.imap,
      balanced: "listen 127.0.0.1:PORT proxy_protocol; protocol imap;",
    },
  );
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await mailbox.close();
});

/** Waits for a line of the log that matches the pattern. */
async function logLine(file: string, pattern: RegExp): Promise<string> {
  const path = join(postern.proxy.directory, file);
  const changes = watch(path);
  try {
    for (;;) {
      const changed = once(changes, "change");
      const found = readFileSync(path, "utf8")
        .split("\n")
        .find((each) => pattern.test(each));
      if (found !== undefined) return found;
      await changed;
    }
  } finally {
    changes.close();
  }
}

const LINES: Readonly<Record<string, RegExp>> = {
  refused: /^refused 403 - "the login was refused"$/,
  failing: /^failing 500 - "the lookup could not be answered"$/,
  stranded: /^stranded 502 127\.0\.0\.1:\d+ "the upstream could not be reached"$/,
};
for (const [login, pattern] of Object.entries(LINES)) {
  test(`a ${login} login has its own status and end in the access log`, async () => {
    const wire = await greeted("imap", postern.ports.imap);
    await attempt("imap", wire, { ...anna, login });
    await untilClosed(wire);
    assert.match(await logLine("short.log", new RegExp(`^${login} `)), pattern);
  });
}

test("a session with a login has status 200, and appears in the log with if=$logged_in too", async () => {
  const wire = await greeted("imap", postern.ports.imap);
  await attempt("imap", wire, anna);
  wire.write("z LOGOUT\r\n");
  await untilClosed(wire);
  const expected = /^anna@example\.test 200 127\.0\.0\.1:\d+ "the \w+ closed the connection"$/;
  assert.match(await logLine("short.log", /^anna/), expected);
  assert.match(await logLine("through.log", /./), expected);
});

test("a broken PROXY header has status 400", async () => {
  const socket = connect(postern.ports.balanced, "127.0.0.1");
  socket.end("nonsense\r\n");
  socket.resume();
  await once(socket, "close");
  assert.match(await logLine("short.log", / 400 /), /^- 400 - "the PROXY header was broken"$/);
});
