// More clients than open files: clients wait until others have left, and sessions go on.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import { attempt, granted, untilClosed } from "../support/peers/mail-client.ts";
import { startMailbox } from "../support/peers/mailbox/index.ts";
import { startServers } from "../support/programs/servers.ts";
import { Wire } from "../support/peers/wire.ts";

const user = { login: "anna", password: "x" };
const CLIENTS = 300;
const started = new AsyncDisposableStack();
let endpoint: LookupEndpoint;

before(async () => {
  const mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: user.login, password: user.password }],
  });
  started.defer(() => mailbox.close());
  endpoint = await startLookupEndpoint(() => route(mailbox.imap.port));
  started.defer(() => endpoint.close());
});
after(() => started.disposeAsync());

test("near the limit of open files new clients wait, and each is served when others leave", async (t) => {
  const postern = await startServers(
    `auth_http ${endpoint.address};`,
    { imap: "listen 127.0.0.1:PORT backlog=511; protocol imap;" },
    "worker_rlimit_nofile 128;",
  );
  t.after(() => postern.stop());
  const { program } = postern.proxy;
  const greetings: string[] = [];
  const wires = Array.from({ length: CLIENTS }, () => {
    const wire = new Wire(connect(postern.ports.imap, "127.0.0.1"));
    const greeted = wire.line().then((line) => {
      greetings.push(line);
      return wire;
    });
    return greeted;
  });
  await program.logs(
    /\[alert\] .*: \d+ connections leave few files to open, not accepting connections for now$/,
  );
  // A connected client can log in: files are left for connections to upstreams.
  const first = await wires[0]!;
  assert.match(await attempt("imap", first, user), granted.imap);
  // Each client that leaves makes room for another one.
  for (const wire of wires) {
    const client = await wire;
    client.write("z LOGOUT\r\n");
    await untilClosed(client);
  }
  assert.equal(greetings.length, CLIENTS);
  assert.deepEqual([...new Set(greetings)], ["* OK IMAP4 ready"]);
  await program.logs(/\[notice\] .*: accepting connections again$/);
  assert.doesNotMatch(program.stderr, /EMFILE|24: /);
});
