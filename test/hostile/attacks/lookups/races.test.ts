// A lookup that fails, times out or answers while its client sends, half-closes or resets (CVE-2026-113425's kind): no
// crash, no hang, one line of the access log for each session, and no descriptor is left.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { reply, route } from "../../../support/peers/lookup-endpoint.ts";
import { anna, protocolNames } from "../../../support/peers/mail-client.ts";
import { lineOf } from "../../../support/peers/attack-site.ts";
import { type Mailbox, startMailbox } from "../../../support/peers/mailbox/index.ts";
import { RawClient } from "../../../support/peers/raw-client.ts";
import { type Servers, startServers } from "../../../support/programs/servers.ts";

const LOGIN: Record<ProtocolName, string> = {
  imap: `a LOGIN ${anna.login} ${anna.password}\r\n`,
  pop3: `USER ${anna.login}\r\nPASS ${anna.password}\r\n`,
  smtp: `EHLO x\r\nAUTH PLAIN ${btoa(`\0${anna.login}\0${anna.password}`)}\r\n`,
};
const NOOP = { imap: "n NOOP\r\n", pop3: "NOOP\r\n", smtp: "NOOP\r\n" };

/** The client's behaviours while it is looked up. */
const CLIENTS: Readonly<Record<string, (client: RawClient, protocol: ProtocolName) => unknown>> = {
  waits: () => {},
  "sends a command": (client, protocol) => client.send(NOOP[protocol]),
  "sends 100 KB": (client, protocol) => client.send(NOOP[protocol].repeat(14_000)),
  "half-closes": ({ socket }) => socket.end(),
  "sends a command and half-closes": ({ socket }, protocol) => socket.end(NOOP[protocol]),
  closes: ({ socket }) => socket.destroy(),
  resets: (client) => client.reset(),
};

/** The endpoint's behaviours; the port is that of the mailbox. */
const ENDPOINTS: Readonly<Record<string, (socket: Socket, port: number) => unknown>> = {
  "says yes": (socket, port) => socket.write(route(port)),
  "says no": (socket) => socket.write(reply(200, { "Auth-Status": "no" })),
  "says no, with a wait": (socket) =>
    socket.write(reply(200, { "Auth-Status": "no", "Auth-Wait": 1 })),
  "asks to wait": (socket) => socket.write(reply(200, { "Auth-Status": "WAIT", "Auth-Wait": 1 })),
  fails: (socket) => socket.write(reply(500, {})),
  "breaks off": (socket) => socket.end("HTTP/1.1 200 OK\r\nAuth-St"),
  closes: (socket) => socket.end(),
  resets: (socket) => socket.resetAndDestroy(),
  "is silent": () => {},
  "names a server that is down": (socket) => socket.write(route(1)),
};

const ORDERS = ["client first", "at once", "endpoint first"] as const;

let mailbox: Mailbox;
let endpoint: Server;
/** A server for each kind of session, because a silent endpoint is not asked again soon (the circuit breaker). */
let postern: Servers<string>;
/** Gets the connection of a lookup, by the address in the session's PROXY header. */
const asked = new Map<string, (socket: Socket) => void>();

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  endpoint = createServer({ noDelay: true }, (socket) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      if (!text.endsWith("\r\n\r\n")) return;
      const [, from = ""] = /^Proxy-Protocol-Addr: (\S+)/m.exec(text) ?? [];
      text = "";
      asked.get(from)?.(socket);
    });
  });
  await once(endpoint.listen(0, "127.0.0.1"), "listening");
  const { port } = endpoint.address() as AddressInfo;
  const names = protocolNames.flatMap((protocol) =>
    Object.keys(ENDPOINTS).flatMap((endpointDoes) =>
      ORDERS.map((order) => `${protocol} ${endpointDoes} ${order}`),
    ),
  );
  const servers = names.map((name) => {
    const [protocol = ""] = name.split(" ");
    return [name, `listen 127.0.0.1:PORT proxy_protocol; protocol ${protocol};`];
  });
  postern = await startServers(
    `auth_http http://127.0.0.1:${port}/auth; auth_http_timeout 700ms; timeout 1500ms; max_fails 0;
     proxy_smtp_auth on; xclient off;`,
    Object.fromEntries(servers) as Record<string, string>,
    "master_process off;",
  );
});
after(async () => {
  await postern.stop();
  endpoint.close();
  await mailbox.close();
});

/** One session, up to its end. */
async function play(
  name: string,
  clientActs: (client: RawClient, protocol: ProtocolName) => unknown,
  endpointActs: (socket: Socket, port: number) => unknown,
  order: (typeof ORDERS)[number],
): Promise<RawClient> {
  const protocol = protocolNames.find((each) => name.startsWith(each))!;
  const { client, address, connection } = await lookedUp(name, protocol);
  // On a slow machine the circuit breaker may end a session without a lookup.
  const socket = await Promise.race([connection, client.closed]);
  if (typeof socket === "string") return client;
  const { port } = mailbox[protocol];
  if (order !== "endpoint first") clientActs(client, protocol);
  if (order === "client first") await pause(10);
  // A lookup that is repeated, as WAIT asks for, is refused.
  asked.set(address, (again) => again.write(reply(200, { "Auth-Status": "no" })));
  endpointActs(socket, port);
  if (order === "endpoint first") {
    await pause(10);
    clientActs(client, protocol);
  }
  // A session that has logged in goes on until its client leaves.
  setTimeout(() => client.socket.destroy(), 500).unref();
  await client.closed;
  return client;
}

let sessions = 0;

/** A client that has sent its login, and more, and the connection of its lookup. */
async function lookedUp(name: string, protocol: ProtocolName, more = "") {
  const client = await RawClient.connect(postern.ports[name]!);
  // A port of a client may serve again at another server, so an address tells sessions apart.
  const address = `10.0.${++sessions >> 8}.${sessions & 0xff}`;
  const connection = new Promise<Socket>((resolve) => asked.set(address, resolve));
  const header = `PROXY TCP4 ${address} 192.0.2.1 51234 143\r\n`;
  await client.send(header + LOGIN[protocol] + more);
  return { client, address, connection };
}

for (const protocol of protocolNames) {
  describe(protocol, { concurrency: 8 }, () => {
    for (const [endpointDoes, endpointActs] of Object.entries(ENDPOINTS)) {
      for (const order of ORDERS) {
        test(`an endpoint that ${endpointDoes}, ${order}, leaves one line for each session, whatever its client does`, async () => {
          const name = `${protocol} ${endpointDoes} ${order}`;
          const played = Object.values(CLIENTS).map((act) => play(name, act, endpointActs, order));
          for (const client of await Promise.all(played)) {
            await postern.proxy.program.says(lineOf(client));
            const lines = postern.proxy.program.stdout.match(new RegExp(lineOf(client), "g"));
            assert.equal(lines?.length, 1);
          }
        });
      }
    }
  });
}

test("a client that half-closes behind its commands is still answered, and its commands reach the mailbox", async () => {
  for (const protocol of protocolNames) {
    const quit = { imap: "q LOGOUT\r\n", pop3: "QUIT\r\n", smtp: "QUIT\r\n" }[protocol];
    const name = `${protocol} says yes at once`;
    const { client, connection } = await lookedUp(name, protocol, NOOP[protocol] + quit);
    client.socket.end();
    (await connection).write(route(mailbox[protocol].port));
    const end = { imap: /\nq OK.*\r\n$/, pop3: /(?:\+OK.*\r\n){5}$/, smtp: /\n221 .*\r\n$/ };
    assert.match(await client.closed, end[protocol]);
  }
});

test("all is as before: no fault, no descriptor of a session, and the next client logs in", async () => {
  const { program } = postern.proxy;
  assert.doesNotMatch(program.stderr, /\[alert\]|\[emerg\]|fault|Error:/);
  const sockets = (): number => {
    const folder = `/proc/${program.pid}/fd`;
    const links = readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(`${folder}/${name}`)];
      } catch {
        return [];
      }
    });
    return links.filter((link) => link.startsWith("socket:")).length;
  };
  // Besides the listening sockets and the kept connections to the endpoint, of which a server has few.
  const most = Object.keys(postern.ports).length * (1 + Object.keys(CLIENTS).length) + 20;
  for (let turns = 0; sockets() > most && turns < 300; turns++) await pause(20);
  assert.ok(sockets() <= most, `${sockets()} sockets are open`);
  for (const protocol of protocolNames) {
    const { client, connection } = await lookedUp(`${protocol} says yes at once`, protocol);
    (await connection).write(route(mailbox[protocol].port));
    await client.until({ imap: /\na OK/, pop3: /Logged in/, smtp: /\n235 / }[protocol]);
    await client.leave();
  }
});
