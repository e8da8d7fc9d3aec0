// A thousand logins while mail servers are killed and started again at random.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  type LookupEndpoint,
  reply,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import { Listener } from "../support/peers/mailbox/listener.ts";
import { attempt, greeted, temporary } from "../support/peers/mail-client.ts";
import { freePorts } from "../support/programs/ports.ts";
import { type Servers, startServers } from "../support/programs/servers.ts";
import { Wire, run } from "../support/peers/wire.ts";

/** Users whose mailbox is on all servers, and users whose mailbox is on one. */
const SHARED = "shared";
const OWN = "own";

const LOGINS = 1000;
const AT_ONCE = 25;
/** ms from one stop or start of a server to the next. */
const STEP = 3;

/** The first one is never stopped, so that one can always serve. */
const servers: Listener[] = [];
let ports: number[];
let endpoint: LookupEndpoint;
let postern: Servers<"imap">;

/** Names the user of the mailbox that it opens, in several writes, so that it is stopped between any two. */
async function serve(wire: Wire): Promise<void> {
  wire.write("* OK ");
  await pause(0);
  wire.write("[CAPABILITY LITERAL+] ready\r\n");
  const [tag] = (await wire.line()).split(" ");
  const [user] = (await wire.line()).split(" ");
  await wire.line();
  wire.write(`${tag} OK the mailbox `);
  await pause(0);
  wire.write(`of ${user}\r\n`);
  for (;;) await wire.line();
}

before(async () => {
  ports = await freePorts(4);
  for (const port of ports) {
    const server = new Listener("127.0.0.1");
    server.on("connection", (socket) => {
      const wire = new Wire(socket);
      run(wire, () => serve(wire));
    });
    await server.listen(port);
    servers.push(server);
  }
  endpoint = await startLookupEndpoint((lookup) => {
    // Each user has all servers, in an order that depends on the user.
    const [, kind, number] = /^([a-z]+)(\d+)$/.exec(lookup.header("Auth-User") ?? "") ?? [];
    const turn = Number(number) % ports.length;
    const [first, ...others] = [...ports.slice(turn), ...ports.slice(0, turn)];
    return reply(200, {
      "Auth-Status": "OK",
      "Auth-Server": "127.0.0.1",
      "Auth-Port": first!,
      "Auth-Fallback": kind === SHARED ? others.map((port) => `127.0.0.1:${port}`).join(", ") : "",
    });
  });
  postern = await startServers(`auth_http ${endpoint.address}; fail_timeout 50ms;`, {
    imap: "listen 127.0.0.1:PORT; protocol imap;",
  });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  for (const server of servers) await server.close();
});

/** Stops and starts all servers but the first until `stop`. Returns the number of stops. */
async function stopAndStart(stop: AbortSignal): Promise<number> {
  let stops = 0;
  while (!stop.aborted) {
    const index = 1 + Math.floor(Math.random() * (servers.length - 1));
    const server = servers[index]!;
    if (server.up) {
      stops++;
      await server.close();
    } else await server.listen(ports[index]!);
    await pause(STEP);
  }
  return stops;
}

test("while one server is up no login is refused, none opens the mailbox of another user, and shared mailboxes always open", async () => {
  const over = new AbortController();
  const outages = stopAndStart(over.signal);
  let next = 0;
  const answers: [user: string, answer: string][] = [];
  const keepLoggingIn = async (): Promise<void> => {
    while (next < LOGINS) {
      const user = `${next % 4 === 3 ? OWN : SHARED}${next++ >> 2}`;
      const wire = await greeted("imap", postern.ports.imap);
      answers.push([user, await attempt("imap", wire, { login: user, password: "x" })]);
      wire.end();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, keepLoggingIn));
  over.abort();
  const stops = await outages;
  assert.equal(answers.length, LOGINS);
  for (const [user, answer] of answers) {
    const mine = `a OK the mailbox of ${user}`;
    const temporarily = user.startsWith(OWN) && temporary.imap.test(answer);
    if (!temporarily) assert.equal(answer, mine);
  }
  assert.ok(stops > 10, `only ${stops} stops`);
});
