// SMTP smuggling: behind the login the proxy neither adds, drops nor alters a byte, and ends no message of its own, for
// every mix of line ends and of segments. What Postfix delivers through the proxy is what it delivers without.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { type AttackSite, startAttackSite } from "../../../support/peers/attack-site.ts";
import { route } from "../../../support/peers/lookup-endpoint.ts";
import { RawClient } from "../../../support/peers/raw-client.ts";
import {
  type Dovecot,
  type Postfix,
  startDovecot,
  startPostfix,
} from "../../../support/real-servers/index.ts";
import { lacking } from "../../../support/programs/requirements.ts";
import { secret } from "../../../support/secrets.ts";
import { inputs } from "../../../support/property.ts";

const alice = { address: "alice@example.test", password: secret("smuggled-wonderland") };
const AUTH = `AUTH PLAIN ${btoa(`\0${alice.address}\0${alice.password}`)}\r\n`;

/** Ends of a message that servers have taken for its end, or have not (https://smtpsmuggling.com). */
const ENDS = [
  "\n.\n",
  "\n.\r\n",
  "\r\n.\n",
  "\r.\r",
  "\r.\r\n",
  "\r\n.\r",
  "\n.\r",
  "\r\n\0.\r\n",
  "\r\n.\0\r\n",
  "\0\r\n.\r\n\0",
  "\n\n.\n\n",
  "\r\r\n.\r\r\n",
  "\r\n..\r\n",
  "\x85.\x85",
];

const SECOND =
  "MAIL FROM:<mallory@evil.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\nsmuggled\r\n.\r\n";

let site: AttackSite<"smtp" | "open">;
let server: Server;
/** The bytes behind the login that the recording server got, for each of its connections. */
let received: Promise<string>;

before(async () => {
  server = createServer({ noDelay: true }, (socket) => {
    received = record(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  site = await startAttackSite("", {
    smtp: "listen 127.0.0.1:PORT; protocol smtp; proxy_smtp_auth on; xclient off;",
    open: "listen 127.0.0.1:PORT; protocol smtp; smtp_auth none; xclient off;",
  });
  site.answer = () => route((server.address() as AddressInfo).port);
});
after(async () => {
  await site.stop();
  server.close();
});

/** Plays the server up to the login or the recipient, then collects and sends everything back. */
async function record(socket: Socket): Promise<string> {
  socket.setEncoding("latin1").on("error", () => {});
  socket.write("220 hi\r\n");
  let text = "";
  let behind: number | null = null;
  for await (const piece of socket as AsyncIterable<string>) {
    text += piece;
    if (behind !== null) {
      socket.write(piece, "latin1");
      continue;
    }
    for (let end = text.indexOf("\r\n"); end !== -1; end = text.indexOf("\r\n")) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      const code = line.startsWith("AUTH") ? "235" : "250";
      socket.write(line.startsWith("EHLO") ? "250-mx\r\n250 AUTH PLAIN\r\n" : `${code} ok\r\n`);
      if (!/^(?:AUTH|RCPT)/.test(line)) continue;
      behind = 0;
      if (text !== "") socket.write(text, "latin1");
      break;
    }
  }
  return text;
}

/** Sends bytes behind a login, in these pieces, and returns what came back. */
async function echoed(on: "smtp" | "open", pieces: readonly string[]): Promise<string> {
  const client = await RawClient.connect(site.postern.ports[on]);
  const login =
    on === "smtp" ? `EHLO x\r\n${AUTH}` : "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
  const granted = on === "smtp" ? "235 2.0.0 OK\r\n" : "250 ok\r\n";
  const [first = "", ...more] = pieces;
  // The first piece follows the login in its segment.
  await client.send(login + first);
  for (const piece of more) client.socket.write(piece, "latin1");
  client.socket.end();
  const text = await client.closed;
  return text.slice(text.indexOf(granted) + granted.length);
}

for (const on of ["smtp", "open"] as const) {
  describe(on === "smtp" ? "behind AUTH" : "behind an accepted recipient", () => {
    test("every end of a message and what follows it pass byte for byte, in one segment and split", async () => {
      for (const end of ENDS) {
        const body = `DATA\r\nSubject: x\r\n\r\nbody${end}${SECOND}`;
        for (const pieces of [
          [body],
          [body.slice(0, 30), body.slice(30)],
          [...body.slice(0, 60), body.slice(60)],
        ]) {
          const back = await echoed(on, pieces);
          assert.equal(await received, body, JSON.stringify(end));
          assert.equal(back, body, JSON.stringify(end));
        }
      }
    });

    test("chunks pass byte for byte, whatever their sizes claim", async () => {
      for (const size of ["5", "0 LAST", "99999999999 LAST", "-1"]) {
        const body = `BDAT ${size}\r\nab\r\n.\r\n\0\xff${SECOND}`;
        await echoed(on, [body]);
        assert.equal(await received, body);
      }
    });

    test("any bytes pass, in any segments", async () => {
      const byte = fc.constantFrom(
        "\r",
        "\n",
        ".",
        "\0",
        "a",
        "\xff",
        " ",
        "BDAT 1\r\n",
        "QUIT\r\n",
      );
      const pieces = fc.array(fc.array(byte, { minLength: 1, maxLength: 40 }), {
        minLength: 1,
        maxLength: 6,
      });
      const property = fc.asyncProperty(pieces, async (parts) => {
        const texts = parts.map((part) => part.join(""));
        const back = await echoed(on, texts);
        assert.equal(await received, texts.join(""));
        assert.equal(back, texts.join(""));
      });
      await fc.assert(property, inputs(160));
    });
  });
}

describe("Postfix through the proxy", { skip: lacking("dovecot", "postfix") }, () => {
  let dovecot: Dovecot;
  let postfix: Postfix;
  before(async () => {
    dovecot = await startDovecot([alice]);
    // Postfix as it was before it refused bare line ends, so that the ends mean something to it.
    postfix = await startPostfix(dovecot, [alice], "smtpd_forbid_bare_newline = no");
    site.answer = () => route(postfix.smtp);
  });
  after(async () => {
    await postfix.stop();
    await dovecot.stop();
  });

  /** The replies to a message with such an end in its body, without queue ids, and the messages that arrived. */
  async function submit(port: number, end: string, mark: string): Promise<readonly string[]> {
    const client = await RawClient.connect(port);
    const body = `Subject: ${mark}\r\n\r\nbody${end}${SECOND}`;
    await client.until(/^220 .*\r\n/);
    await client.send(`EHLO x\r\n${AUTH}`);
    await client.until(/\n235 .*\r\n$/);
    const from = client.text.length;
    await client.send(
      `MAIL FROM:<${alice.address}>\r\n`,
      `RCPT TO:<${alice.address}>\r\n`,
      "DATA\r\n",
      `${body}\r\n.\r\n`,
      "QUIT\r\n",
    );
    await client.closed;
    return client.text
      .slice(from)
      .replace(/queued as \w+/g, "queued")
      .split("\r\n");
  }

  async function delivered(count: number): Promise<readonly string[]> {
    const folder = join(dovecot.mail, alice.address, "Maildir/new");
    for (;;) {
      const names = await readdir(folder).catch(() => []);
      if (names.length >= count) {
        const texts = await Promise.all(
          names.map((name) => readFile(join(folder, name), "latin1")),
        );
        return texts.map((text) => text.slice(text.indexOf("\n\n")));
      }
      await pause(20);
    }
  }

  test("answers and delivers as it does without the proxy, for every end of a message", async () => {
    let count = 0;
    for (const [index, end] of ENDS.entries()) {
      const direct = await submit(postfix.smtp, end, `direct ${index}`);
      const proxied = await submit(site.postern.ports.smtp, end, `proxied ${index}`);
      assert.deepEqual(proxied, direct, JSON.stringify(end));
      count += 2 * direct.filter((line) => /^250 .*queued/.test(line)).length;
    }
    const bodies = await delivered(count);
    const counts = new Map<string, number>();
    for (const body of bodies) counts.set(body, (counts.get(body) ?? 0) + 1);
    for (const [body, times] of counts) assert.equal(times % 2, 0, JSON.stringify(body));
  });
});
