// Lookup replies that lie: strange addresses and ports, several verdicts, redirects, chunks, drips and huge headers. A
// client is let in by a plain yes alone, and hears of a temporary failure otherwise.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
  temporary,
  untilClosed,
} from "../../../support/peers/mail-client.ts";
import { type Mailbox, startMailbox } from "../../../support/peers/mailbox/index.ts";
import { type Servers, inTheClear, startServers } from "../../../support/programs/servers.ts";

let mailbox: Mailbox;
let endpoint: Server;
let postern: Servers<ProtocolName>;
/** Sends the reply to a lookup of this protocol. */
let lie: (socket: Socket, protocol: ProtocolName) => unknown;

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  endpoint = createServer({ noDelay: true }, (socket) => {
    let asked = "";
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      asked += bytes.toString("latin1");
      if (!asked.endsWith("\r\n\r\n")) return;
      const [, protocol] = /Auth-Protocol: (\w+)/.exec(asked) ?? [];
      asked = "";
      lie(socket, protocol as ProtocolName);
    });
  });
  await once(endpoint.listen(0, "127.0.0.1"), "listening");
  const { port } = endpoint.address() as AddressInfo;
  postern = await startServers(
    `auth_http http://127.0.0.1:${port}/auth; auth_http_timeout 1s; proxy_connect_timeout 500ms;`,
    inTheClear,
  );
});
after(async () => {
  await postern.stop();
  endpoint.close();
  await mailbox.close();
});

/** A head of these lines, and no body. */
function head(lines: readonly string[], status = "200 OK"): string {
  const fields = [...lines, "Content-Length: 0"].map((line) => `${line}\r\n`);
  return `HTTP/1.1 ${status}\r\n${fields.join("")}\r\n`;
}

const yes = (port: number | string, host = "127.0.0.1"): string[] => [
  "Auth-Status: OK",
  `Auth-Server: ${host}`,
  `Auth-Port: ${port}`,
];

/** Other spellings of 127.0.0.1 and of nothing: no resolver may make an address of them. */
const ADDRESSES = [
  "127.1",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "127.0.0.1.",
  "127.0.0.01",
  "127.0.0.256",
  "0x7f.1",
  "127.0.0.1:143",
  "[127.0.0.1]",
  "[::1]",
  "::1%lo",
  "::1]",
  "unix:/tmp/x",
  "/tmp/x",
  "unix:",
  "127.0.0.1 x",
  "127.0.0.1,127.0.0.2",
  "127.0.0.1\t",
  "user@127.0.0.1",
  "http://127.0.0.1",
  "\x00127.0.0.1",
  "127.0.0.1\0.evil.test",
  "a..b",
  "-",
  "*",
  "\xe1\x9b",
  `${"a".repeat(300)}.test`,
];

const PORTS = [
  "0",
  "-1",
  "65536",
  "99999999999999999999",
  "0x8f",
  "1e2",
  "143 ",
  "١٤٣",
  "14\x003",
  "",
];

/** Replies of which each is a temporary failure, by the port of the real mailbox. */
const LIES: Readonly<Record<string, (port: number) => string>> = {
  "a yes with status 302": (port) =>
    head([...yes(port), "Location: http://127.0.0.1/"], "302 Found"),
  "a yes with status 307": (port) => head([...yes(port), "Location: /other"], "307 Temporary"),
  "a yes with status 404": (port) => head(yes(port), "404 Not Found"),
  "a yes with status 500": (port) => head(yes(port), "500 Oops"),
  "a yes with status 101": (port) => head(yes(port), "101 Switching Protocols"),
  "a yes without a server": () => head(["Auth-Status: OK", "Auth-Port: 143"]),
  "a yes in small letters' stead": (port) => head(["Auth-Statu: OK", ...yes(port).slice(1)]),
  "a login with CR and LF, escaped or not": (port) => head([...yes(port), "Auth-User: anna\rx"]),
  "a login with NUL": (port) => head([...yes(port), "Auth-User: anna\0"]),
  "a password with NUL": (port) => head([...yes(port), "Auth-Pass: pass\0word"]),
  "a folded header": (port) => head([...yes(port), "X: a\r\n b"]),
  "a header without a name": (port) => head([...yes(port), ": a"]),
  "a header with blanks in its name": (port) => head([...yes(port), "Auth User: a"]),
  "a header with NUL in its name": (port) => head([...yes(port), "A\0: a"]),
  "a header of 20 KB": (port) => head([...yes(port), `X: ${"y".repeat(20_000)}`]),
  "1,500 headers": (port) =>
    head([...yes(port), ...Array.from({ length: 1500 }, () => "X: yyyyyyyy")]),
  "a status line of another protocol": (port) => head(yes(port)).replace("HTTP/1.1", "HTTP/x.y"),
  "a status line without a number": (port) => head(yes(port)).replace("200", "yes"),
  "a yes in the chunks of a body": (port) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n60\r\n${yes(port).join("\r\n")}\r\n0\r\n\r\n`,
  "a yes in a body": (port) =>
    `HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n${yes(port).join("\r\n")}`,
  "an empty verdict of an error": () => head(["Auth-Status:"], "500 Oops"),
};

/** Replies of which each is a no. */
const REFUSALS: Readonly<Record<string, (port: number) => string>> = {
  "a no before a yes": (port) => head(["Auth-Status: no", ...yes(port)]),
  "a no behind a yes": (port) => head([...yes(port), "Auth-Status: no"]),
  "a no between two yeses": (port) => head([...yes(port), "auth-status: no", "AUTH-STATUS: OK"]),
  "ok in small letters": (port) => head(["Auth-Status: ok", ...yes(port).slice(1)]),
  "OK and more": (port) => head(["Auth-Status: OK, really", ...yes(port).slice(1)]),
  "an empty verdict": (port) => head(["Auth-Status:", ...yes(port).slice(1)]),
};

async function logIn(protocol: ProtocolName): Promise<string> {
  const wire = await greeted(protocol, postern.ports[protocol]);
  const answer = await attempt(protocol, wire);
  if (granted[protocol].test(answer)) wire.end();
  await untilClosed(wire);
  return answer;
}

for (const protocol of protocolNames) {
  const mailPort = (): number => mailbox[protocol].port;

  describe(protocol, () => {
    test("a yes without a lie lets the client in", async () => {
      lie = (socket) => socket.write(head(yes(mailPort())));
      assert.match(await logIn(protocol), granted[protocol]);
    });

    test("no strange spelling of an address is dialled, and the client hears of a temporary failure", async () => {
      const dialled = mailbox[protocol].connections;
      for (const host of ADDRESSES) {
        lie = (socket) => socket.write(head(yes(mailPort(), host)), "latin1");
        const answer = await logIn(protocol);
        // Blanks at the end of a header's value are not part of it (RFC 9110 section 5.5).
        if (host.trim() === "127.0.0.1") assert.match(answer, granted[protocol]);
        else assert.match(answer, temporary[protocol], JSON.stringify(host));
      }
      assert.equal(mailbox[protocol].connections - dialled, 1);
    });

    test("no strange port is dialled", async () => {
      for (const port of PORTS) {
        lie = (socket) => socket.write(head(yes(port)), "latin1");
        assert.match(await logIn(protocol), temporary[protocol], JSON.stringify(port));
      }
    });

    for (const [name, reply] of Object.entries(LIES)) {
      test(`${name} is a temporary failure`, async () => {
        lie = (socket) => socket.write(reply(mailPort()), "latin1");
        assert.match(await logIn(protocol), temporary[protocol]);
      });
    }

    for (const [name, reply] of Object.entries(REFUSALS)) {
      test(`${name} lets no client in`, async () => {
        const { logins } = mailbox[protocol];
        lie = (socket) => socket.write(reply(mailPort()), "latin1");
        assert.doesNotMatch(await logIn(protocol), granted[protocol]);
        assert.equal(mailbox[protocol].logins, logins);
      });
    }

    test("a yes that drips is no yes once the time is over", async () => {
      lie = async (socket) => {
        for (const byte of head([...yes(mailPort()), `X: ${"y".repeat(500)}`])) {
          if (socket.destroyed) return;
          socket.write(byte);
          await pause(10);
        }
      };
      assert.match(await logIn(protocol), temporary[protocol]);
    });

    test("words for the client with control characters stay one line", async () => {
      const words = "no\x1b[2J\x07\x00\x85 \xe2\x80\xae";
      lie = (socket) => socket.write(head([`Auth-Status: ${words}`]), "latin1");
      const wire = await greeted(protocol, postern.ports[protocol]);
      assert.match(await attempt(protocol, wire), /no.\[2J/s);
      assert.deepEqual(await untilClosed(wire), []);
    });
  });
}

test("a code that tells an SMTP client of success, or of more to come, is not passed on", async () => {
  for (const code of ["235 2.7.0", "250", "334", "535-5.7.8", "535x", "x", "", "5", "1000"]) {
    lie = (socket) => socket.write(head(["Auth-Status: no", `Auth-Error-Code: ${code}`]));
    assert.equal(await logIn("smtp"), "535 5.7.0 no", code);
  }
});

test("a wait of years holds no session for longer than its client stays", async () => {
  lie = (socket) => socket.write(head(["Auth-Status: no", "Auth-Wait: 999999999"]));
  const { program } = postern.proxy;
  const refused = /client login failed: "no"/;
  const count = program.stderr.split(refused).length;
  const wire = await greeted("imap", postern.ports.imap);
  void attempt("imap", wire).catch(() => {});
  await program.logs(refused, count);
  wire.end();
  await program.says('"status":403,"logged_in":false,"end":"the client closed');
});

test("no control character of a reply has reached a log", () => {
  const { stdout, stderr } = postern.proxy.program;
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  for (const log of [stdout, stderr]) assert.doesNotMatch(log, /[\0-\t\v-\x1f\x7f-\x9f]/);
});
