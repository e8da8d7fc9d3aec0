// Other protocols on mail ports (ALPACA, "TLS poison", forms of web pages that post commands): each is bounded and ended,
// and no command that an attacker hides in it is carried out.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { type TLSSocket, connect as connectTls } from "node:tls";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../support/peers/attack-site.ts";
import { protocolNames } from "../../support/peers/mail-client.ts";
import { RawClient } from "../../support/peers/raw-client.ts";

let site: AttackSite<ProtocolName | `${ProtocolName}s`>;

before(async () => {
  const none = "smtp_auth plain none;";
  site = await startAttackSite("timeout 500ms; smtp_greeting_delay 0;", {
    imap: "listen 127.0.0.1:PORT; protocol imap;",
    pop3: "listen 127.0.0.1:PORT; protocol pop3;",
    smtp: `listen 127.0.0.1:PORT; protocol smtp; ${none}`,
    imaps: "listen 127.0.0.1:PORT ssl; protocol imap;",
    pop3s: "listen 127.0.0.1:PORT ssl; protocol pop3;",
    smtps: `listen 127.0.0.1:PORT ssl; protocol smtp; ${none}`,
  });
});
after(async () => {
  assert.equal(site.lookups.length, 0, "a hidden command was looked up");
  await site.stop();
});

/** Commands that log in or send mail, hidden in other protocols. */
const HIDDEN: Record<ProtocolName, string> = {
  imap: "a LOGIN mallory password\r\n",
  pop3: "USER mallory\r\nPASS password\r\n",
  smtp: "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<b@c>\r\n",
};

/** A request whose body is a text that a web page may post across origins. */
const request = (line: string, body: string) =>
  `${line}\r\nHost: mail.test\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** A ClientHello of TLS 1.2 with a session ticket that an attacker has chosen. */
function clientHello(ticket: string): string {
  const extension = `\0\x23${uint16(ticket.length)}${ticket}`;
  const hello = `\x03\x03${"r".repeat(32)}\0\0\x02\xc0\x2b\x01\0${uint16(extension.length)}${extension}`;
  const handshake = `\x01\0${uint16(hello.length)}${hello}`;
  return `\x16\x03\x01${uint16(handshake.length)}${handshake}`;
}

function uint16(number: number): string {
  return String.fromCharCode(number >> 8, number & 0xff);
}

async function talked(port: number, text: string): Promise<string> {
  const client = await RawClient.connect(port);
  await client.send(text);
  const answer = await client.closed;
  const session = await site.session(client);
  assert.deepEqual([session["login"], session["login_attempts"]], [null, 0]);
  return answer;
}

for (const protocol of protocolNames) {
  describe(`${protocol} in the clear`, () => {
    for (const line of ["POST / HTTP/1.1", "GET /?x HTTP/1.0", "CONNECT mail.test:25 HTTP/1.1"]) {
      test(`${line} ends the session at its first line, and the body is no command`, async () => {
        const answer = await talked(site.postern.ports[protocol], request(line, HIDDEN[protocol]));
        assert.equal(answer.split("\r\n").length, 3, answer);
        assert.match(answer, /BAD invalid command|-ERR invalid command|500 5\.5\.1/);
      });
    }

    test("a connection preface of HTTP/2 ends the session at its first line", async () => {
      const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
      const answer = await talked(site.postern.ports[protocol], preface + HIDDEN[protocol]);
      assert.equal(answer.split("\r\n").length, 3, answer);
    });

    test("a handshake ends the session, whatever commands its ticket holds", async () => {
      const hello = clientHello(`\r\n${HIDDEN[protocol]}`);
      const answer = await talked(site.postern.ports[protocol], hello);
      assert.equal(answer.split("\r\n").length, 3, answer);
      assert.equal(site.postern.sessions().at(-1)?.["end"], "client speaks HTTP or TLS");
    });

    test("a client that begins TLS on the port in the clear is ended when its time is over", async () => {
      const socket = connect(site.postern.ports[protocol], "127.0.0.1");
      const secured = connectTls({ socket, rejectUnauthorized: false });
      const [error] = (await once(secured, "error")) as [Error];
      assert.match(error.message, /wrong version|packet length|disconnected|unexpected/i);
    });

    for (const other of protocolNames.filter((each) => each !== protocol)) {
      test(`a client that speaks ${other} gets errors only, and is ended`, async () => {
        const text = `${HIDDEN[other]}${HIDDEN[other]}${HIDDEN[other]}`;
        const answer = await talked(site.postern.ports[protocol], text.replaceAll("EHLO", "LHLO"));
        const lines = answer.trimEnd().split("\r\n").slice(1);
        const isError = /BAD invalid|^-ERR|^5\d\d /;
        // USER is a command of POP3, and NOOP one of all.
        for (const line of lines) assert.match(line, isError);
      });
    }
  });

  describe(`${protocol} under TLS`, () => {
    for (const alpn of ["http/1.1", "h2", "ftp", "dot", "xmpp-client", ...protocolNames]) {
      if (alpn === protocol) continue;
      test(`a client that offers ${alpn} in ALPN gets no session (ALPACA)`, async () => {
        const port = site.postern.ports[`${protocol}s`];
        await assert.rejects(
          RawClient.connectTls(port, { ALPNProtocols: [alpn] }),
          /no application protocol|alert number 120/i,
        );
      });
    }

    test("a client that offers strangers and the protocol itself, or nothing, is served", async () => {
      for (const options of [{ ALPNProtocols: ["h2", protocol] }, {}]) {
        const client = await RawClient.connectTls(site.postern.ports[`${protocol}s`], options);
        await client.until(/\r\n$/);
        const { alpnProtocol } = client.socket as TLSSocket;
        assert.equal(alpnProtocol, "ALPNProtocols" in options ? protocol : false);
        await client.leave();
      }
    });

    test("clear text, HTTP and a broken handshake are ended without a session", async () => {
      const texts = [
        HIDDEN[protocol],
        request("POST / HTTP/1.1", HIDDEN[protocol]),
        `\x16\x03\x01\xff\xff\x01\0\x40\0${"x".repeat(20_000)}`,
        `\x80\x2e\x01\x03\x01${"\0".repeat(100)}`,
      ];
      for (const text of texts) {
        const answer = await talked(site.postern.ports[`${protocol}s`], text);
        assert.ok(answer === "" || answer.startsWith("\x15\x03"), JSON.stringify(answer));
      }
    });

    test("HTTP under TLS ends the session at its first line", async () => {
      const client = await RawClient.connectTls(site.postern.ports[`${protocol}s`]);
      await client.send(request("POST / HTTP/1.1", HIDDEN[protocol]));
      assert.equal((await client.closed).split("\r\n").length, 3);
    });
  });
}
