// A thousand logins while mail servers are killed and started again at random.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type LookupEndpoint, reply, startLookupEndpoint } from "../support/lookup-endpoint.ts";
import { Listener } from "../support/mailbox/listener.ts";
import { attempt, greeted, temporary } from "../support/mail-client.ts";
import { freePorts } from "../support/ports.ts";
import { type Servers, startServers } from "../support/servers.ts";
import { Wire, run } from "../support/wire.ts";

/** Users whose mail every server has, and those whose mail one server has. */
const SHARED = "shared";
const OWN = "own";

const LOGINS = 1000;
const AT_ONCE = 25;
/** ms between two deaths or two births. */
const STEP = 3;

/** The first never dies: there is always one that may serve. */
const servers: Listener[] = [];
let ports: number[];
let endpoint: LookupEndpoint;
let postern: Servers<"imap">;

/** Says whose mailbox it has opened, word by word, so that death finds it in the midst of everything. */
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
    // Shared storage: each user has the servers in an order of their own.
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

/** Kills and starts all servers but the first until it is told to stop. */
async function haunt(stop: AbortSignal): Promise<number> {
  let deaths = 0;
  while (!stop.aborted) {
    const mortal = 1 + Math.floor(Math.random() * (servers.length - 1));
    const server = servers[mortal]!;
    if (server.up) {
      deaths++;
      await server.close();
    } else await server.listen(ports[mortal]!);
    await pause(STEP);
  }
  return deaths;
}

test("nobody is refused, nobody sees another's mailbox, and everybody gets in while one server is up", async () => {
  const over = new AbortController();
  const haunting = haunt(over.signal);
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
  const deaths = await haunting;
  assert.equal(answers.length, LOGINS);
  for (const [user, answer] of answers) {
    const mine = `a OK the mailbox of ${user}`;
    const temporarily = user.startsWith(OWN) && temporary.imap.test(answer);
    if (!temporarily) assert.equal(answer, mine);
  }
  assert.ok(deaths > 10, `only ${deaths} deaths`);
});
