// Smuggling on the lookup's connection: by a wrong length, an extra reply or an interim one, a reply to one login must
// never be taken for the reply to another, and no client can write a request of its own.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { route } from "../../../support/peers/lookup-endpoint.ts";
import { attempt, granted, greeted, protocolNames } from "../../../support/peers/mail-client.ts";
import { type Mailbox, startMailbox } from "../../../support/peers/mailbox/index.ts";
import { type Servers, inTheClear, startServers } from "../../../support/programs/servers.ts";
import type { Wire } from "../../../support/peers/wire.ts";

const mallory = { login: "mallory", password: "any-password" };
const victim = { login: "victim", password: "any-password" };

let mailbox: Mailbox;
let endpoint: Server;
let postern: Servers<ProtocolName>;
/** The endpoint's answer to mallory; all others are told no, with their name. */
let trick: (socket: Socket, protocol: ProtocolName) => unknown;
/** Requests of each connection. */
const requests: string[][] = [];

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: victim.login, password: victim.password }],
  });
  endpoint = createServer({ noDelay: true }, (socket) => {
    const own: string[] = [];
    requests.push(own);
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end !== -1; end = text.indexOf("\r\n\r\n")) {
        const request = text.slice(0, end);
        text = text.slice(end + 4);
        own.push(request);
        const [, user = ""] = /^Auth-User: (.*)$/m.exec(request) ?? [];
        const [, protocol] = /^Auth-Protocol: (.*)$/m.exec(request) ?? [];
        if (user === mallory.login) trick(socket, protocol as ProtocolName);
        else socket.write(no(user));
      }
    });
  });
  await once(endpoint.listen(0, "127.0.0.1"), "listening");
  const { port } = endpoint.address() as AddressInfo;
  postern = await startServers(`auth_http http://127.0.0.1:${port}/auth;`, inTheClear);
});
after(async () => {
  await postern.stop();
  endpoint.close();
  await mailbox.close();
});

function no(user: string): string {
  return `HTTP/1.1 200 OK\r\nAuth-Status: no, ${user}\r\nContent-Length: 0\r\n\r\n`;
}

const HEAD = `HTTP/1.1 200 OK\r\nAuth-Status: no, mallory\r\n`;

/** Answers behind which a yes for another login is smuggled. */
const TRICKS: Readonly<Record<string, (yes: string) => readonly string[]>> = {
  "two replies in one segment": (yes) => [no("mallory") + yes],
  "a second reply in a segment of its own": (yes) => [no("mallory"), yes],
  "two lengths, the last one 0": (yes) => [
    `${HEAD}Content-Length: ${yes.length}\r\nContent-Length: 0\r\n\r\n`,
    yes,
  ],
  "two lengths, the first one 0": (yes) => [
    `${HEAD}Content-Length: 0\r\nContent-Length: ${yes.length}\r\n\r\n`,
    yes,
  ],
  "a length and chunks": (yes) => [
    `${HEAD}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${yes.length.toString(16)}\r\n${yes}\r\n0\r\n\r\n`,
  ],
  "a length that is no number": (yes) => [`${HEAD}Content-Length: 0x0\r\n\r\n`, yes],
  "a negative length": (yes) => [`${HEAD}Content-Length: -1\r\n\r\n`, yes],
  "a length that is too short": (yes) => [`${HEAD}Content-Length: 5\r\n\r\n12345${yes}`],
  "a body behind 204": (yes) => [
    `${HEAD.replace("200 OK", "204 No")}Content-Length: ${yes.length}\r\n\r\n`,
    yes,
  ],
  "an interim reply with a length": (yes) => [
    "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
    no("mallory"),
    yes,
  ],
  "a switch of protocols": (yes) => [
    "HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\nUpgrade: x\r\n\r\n",
    yes,
  ],
};

async function refusal(protocol: ProtocolName, who: typeof mallory): Promise<[string, Wire]> {
  const wire = await greeted(protocol, postern.ports[protocol]);
  return [await attempt(protocol, wire, who), wire];
}

for (const protocol of protocolNames) {
  describe(protocol, () => {
    for (const [name, answers] of Object.entries(TRICKS)) {
      test(`a yes that is smuggled by ${name} lets no login in`, async () => {
        const sent = Promise.withResolvers<Socket>();
        trick = (socket) => {
          const [first = "", ...more] = answers(route(mailbox[protocol].port));
          socket.write(first);
          // The rest comes once Postern has judged the first part, and may use the connection again.
          sent.resolve(socket);
          for (const piece of more) socket.write(piece);
        };
        const [answer, wire] = await refusal(protocol, mallory);
        assert.doesNotMatch(answer, granted[protocol]);
        await sent.promise;
        for (let count = 0; count < 3; count++) {
          const [told, other] = await refusal(protocol, victim);
          assert.match(told, /no, victim$/);
          other.end();
        }
        wire.end();
      });
    }

    test("a reply whose body is slow keeps its connection for itself", async () => {
      const begun = Promise.withResolvers<Socket>();
      trick = (socket) => {
        socket.write(`${HEAD}Content-Length: 40\r\n\r\n`);
        begun.resolve(socket);
      };
      const [, wire] = await refusal(protocol, mallory);
      const socket = await begun.promise;
      const [told, other] = await refusal(protocol, victim);
      assert.match(told, /no, victim$/);
      socket.write(route(mailbox[protocol].port));
      const [toldAgain, last] = await refusal(protocol, victim);
      assert.match(toldAgain, /no, victim$/);
      for (const each of [wire, other, last]) each.end();
    });

    test("the lookup of a client that has left ends with its connection, which no other lookup uses", async () => {
      const asked = Promise.withResolvers<Socket>();
      trick = (socket) => asked.resolve(socket);
      const wire = await greeted(protocol, postern.ports[protocol]);
      void attempt(protocol, wire, mallory).catch(() => {});
      const socket = await asked.promise;
      const gone = once(socket, "close");
      wire.end();
      await gone;
      const [told, other] = await refusal(protocol, victim);
      assert.match(told, /no, victim$/);
      other.end();
    });

    test("interim replies before the reply are passed over (RFC 9110 section 15.2)", async () => {
      trick = (socket) => {
        socket.write(
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nAuth-Status: OK\r\n",
        );
        socket.write(`Auth-Server: 127.0.0.1\r\nAuth-Port: 9\r\n\r\n${no("mallory")}`);
      };
      const [answer, wire] = await refusal(protocol, mallory);
      assert.match(answer, /no, mallory$/);
      wire.end();
    });
  });
}

test("interim replies without end are too long", async () => {
  trick = (socket) => socket.write("HTTP/1.1 102 Processing\r\n\r\n".repeat(2000));
  const [answer, wire] = await refusal("imap", mallory);
  assert.match(answer, /^a NO \[UNAVAILABLE\]/);
  await postern.proxy.program.logs(/sent too long response/);
  wire.end();
});

test("two logins at once with one name and different passwords get their own answers", async () => {
  const held: Socket[] = [];
  const both = Promise.withResolvers<void>();
  trick = (socket) => {
    if (held.push(socket) === 2) both.resolve();
  };
  const wires = await Promise.all(["one", "two"].map(() => greeted("imap", postern.ports.imap)));
  const [first, second] = wires as [Wire, Wire];
  const answers = [
    attempt("imap", first, { ...mallory, password: "first-password" }),
    attempt("imap", second, { ...mallory, password: "second-password" }),
  ];
  await both.promise;
  for (const [index, socket] of held.entries()) socket.write(no(`answer ${index}`));
  const told = await Promise.all(answers);
  assert.deepEqual(told.toSorted(), ["a NO no, answer 0", "a NO no, answer 1"]);
  for (const wire of wires) wire.end();
});

test("each request that the endpoint got was a lookup's, and whole", () => {
  const all = requests.flat();
  assert.ok(all.length > 100);
  for (const request of all) {
    assert.match(request, /^GET \/auth HTTP\/1\.1\r\nHost: /);
    assert.equal(request.split("Auth-Method:").length, 2);
  }
});
