// Upstream logins over real connections, TLS included, with upstreams that violate their protocol.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { SocketClientTls } from "../../../proxy/transport/index.ts";
import type { ProtocolName, TlsMode } from "../../../shared/lookup.ts";
import { selfSigned } from "../../support/certificates/certificate.ts";
import { dialled } from "../../support/transport/connections.ts";
import { clearClient } from "../../support/proxy/protocol-client.ts";
import { anna, client } from "../../support/proxy/login-script.ts";
import { protocolNames } from "../../support/peers/mail-client.ts";
import { Hangup, Wire } from "../../support/peers/wire.ts";
import { type LoggedIn, logIn } from "../../support/proxy/upstream-login.ts";

const serverCertificate = await selfSigned("mail.test");
const trustingTls = new SocketClientTls({ verify: true, trusted: serverCertificate.certificate });

/** An upstream's greeting, and then its reply to each line; `TLS` stands for a handshake, which follows without a line. */
type Replies = readonly (string | typeof TLS)[];
const TLS = Symbol("TLS");

const GRANTING: Record<ProtocolName, Replies> = {
  imap: [
    "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
    "* OK a moment\r\npostern OK begin\r\n",
    TLS,
    "* CAPABILITY AUTH=PLAIN SASL-IR\r\npostern OK done\r\n",
    "* CAPABILITY IDLE\r\na OK in \0\r\n",
  ],
  pop3: [
    "+OK hi\r\n",
    "+OK list\r\nSTLS\r\n.\r\n",
    "+OK begin\r\n",
    TLS,
    "+OK list\r\nSASL PLAIN\r\n.\r\n",
    "+OK in \0\r\n",
  ],
  smtp: [
    "220-hi\r\n220 there\r\n",
    "250-mx\r\n250 STARTTLS\r\n",
    "220-please\r\n220 begin\r\n",
    TLS,
    "250-mx\r\n250 AUTH PLAIN\r\n",
    "235-you\r\n235 are in \0\r\n",
  ],
};

const ACCEPTED: Record<ProtocolName, string> = {
  imap: "* CAPABILITY IDLE\r\na OK in \0\r\n",
  pop3: "+OK in \0\r\n",
  smtp: "235 2.0.0 OK\r\n",
};

const AT_ONCE = async (wire: Wire, text: string): Promise<void> => wire.write(text);
const BYTE_BY_BYTE = async (wire: Wire, text: string): Promise<void> => {
  for (const byte of text) {
    wire.write(byte);
    await setImmediate();
  }
};

class Upstream {
  readonly #socket: Socket;
  wire: Wire;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.wire = new Wire(socket);
    socket.resume();
  }

  /** Sends the replies in order, each but the first after one line of the proxy. */
  async play(replies: Replies, say = AT_ONCE): Promise<void> {
    for (const [index, reply] of replies.entries()) {
      if (reply === TLS) await this.secure();
      else {
        if (index > 0) await this.wire.line();
        await say(this.wire, reply);
      }
    }
  }

  async secure(): Promise<void> {
    const { certificate: cert, key } = serverCertificate;
    const secured = new TLSSocket(this.#socket, { isServer: true, cert, key });
    secured.on("error", () => {});
    this.wire = new Wire(secured);
    await Promise.race([once(secured, "secure"), once(secured, "close")]);
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

type Behaviour = (upstream: Upstream) => Promise<void>;

/** Logs in to an upstream with the given behaviour; an upstream may still be sending when the login ends. */
async function logInTo(
  protocol: ProtocolName,
  behaviour: Behaviour,
  { tls = trustingTls, mode = "starttls" }: { tls?: SocketClientTls; mode?: TlsMode } = {},
): Promise<LoggedIn> {
  const { peer, connection } = await dialled();
  const played = behaviour(new Upstream(peer)).catch((error: unknown) => {
    if (!(error instanceof Hangup)) throw error;
  });
  const handler = clearClient(protocol, { proxy_smtp_auth: true, xclient: false });
  if (protocol === "imap") handler.say("a LOGIN anna secret");
  const security = { tls: mode, tlsName: "mail.test" };
  try {
    return await logIn(connection, handler.handler, anna, client, security, tls);
  } finally {
    connection.destroy();
    peer.destroy();
    await played;
  }
}

for (const protocol of protocolNames) {
  const replies = GRANTING[protocol];
  const handshake = replies.indexOf(TLS);
  const steps = [...replies.keys()].filter((step) => step !== handshake);
  const playUpTo = (step: number, text: string, say = AT_ONCE): Behaviour => {
    return async (upstream) => {
      await upstream.play(replies.slice(0, step));
      if (step > 0 && step !== handshake) await upstream.wire.line();
      await say(upstream.wire, text);
    };
  };

  describe(protocol, { concurrency: 4 }, () => {
    test("a login by STARTTLS is accepted with the upstream's reply", async () => {
      const { end } = await logInTo(protocol, (upstream) => upstream.play(replies));
      assert.deepEqual(end, { kind: "accepted", reply: ACCEPTED[protocol] });
    });

    test("replies that arrive byte by byte give the same result", async () => {
      const { end } = await logInTo(protocol, (upstream) => upstream.play(replies, BYTE_BY_BYTE));
      assert.deepEqual(end, { kind: "accepted", reply: ACCEPTED[protocol] });
    });

    test("bytes behind the last reply are kept for the client", async () => {
      const last = `${String(replies.at(-1))}* news\r\n`;
      const { rest } = await logInTo(protocol, (upstream) =>
        upstream.play([...replies.slice(0, -1), last]),
      );
      assert.equal(Buffer.from(rest).toString(), "* news\r\n");
    });

    for (const step of steps) {
      test(`a reset in reply ${step} ends the login`, async () => {
        const login = logInTo(protocol, async (upstream) => {
          await playUpTo(step, "")(upstream);
          upstream.reset();
        });
        await assert.rejects(login, Error);
      });

      test(`a hangup in the middle of reply ${step} ends the login`, async () => {
        const login = logInTo(protocol, async (upstream) => {
          await playUpTo(step, String(replies[step]).slice(0, 5))(upstream);
          upstream.wire.end();
        });
        await assert.rejects(login, { message: "upstream prematurely closed connection" });
      });

      test(`an endless line as reply ${step} ends the login`, async () => {
        const login = logInTo(protocol, playUpTo(step, "x".repeat(4096)));
        await assert.rejects(login, { message: "upstream sent too long response line" });
      });
    }

    test("an endless list of capabilities ends the login", async () => {
      const step = handshake + 1;
      const line = { imap: "* x\r\n", pop3: "+OK x\r\n", smtp: "250-x\r\n" }[protocol];
      const login = logInTo(protocol, playUpTo(step, line.repeat(1000)));
      await assert.rejects(login, { message: "upstream sent too long response line" });
    });

    test("a clear reply behind the STARTTLS reply ends the login", async () => {
      const injected = `${String(replies[handshake - 1])}${String(replies[handshake + 1])}`;
      const login = logInTo(protocol, playUpTo(handshake - 1, injected));
      await assert.rejects(login, { message: "upstream sent more than its answer to STARTTLS" });
    });

    test("a clear partial line behind the STARTTLS reply ends the login", async () => {
      const injected = `${String(replies[handshake - 1])}*`;
      const login = logInTo(protocol, playUpTo(handshake - 1, injected));
      await assert.rejects(login, { message: "upstream sent more than its answer to STARTTLS" });
    });

    test("clear text instead of a handshake ends the login", async () => {
      const login = logInTo(protocol, playUpTo(handshake, "* OK hello\r\n".repeat(10)));
      await assert.rejects(login, Error);
    });

    test("a reset in the handshake ends the login", async () => {
      const login = logInTo(protocol, async (upstream) => {
        await upstream.play(replies.slice(0, handshake));
        await upstream.wire.bytes(5);
        upstream.reset();
      });
      await assert.rejects(login, Error);
    });

    test("an untrusted certificate ends the login, and the error names the certificate", async () => {
      const tls = new SocketClientTls({ verify: true, trusted: null });
      const login = logInTo(protocol, (upstream) => upstream.play(replies), { tls });
      await assert.rejects(login, /certificate/);
    });
  });
}

test("a server that injects clear replies behind STARTTLS gets no credentials", async () => {
  const receivedLines: string[] = [];
  const login = logInTo("imap", async ({ wire }) => {
    wire.write("* OK [CAPABILITY STARTTLS] hi\r\n");
    receivedLines.push(await wire.line());
    wire.write("postern OK begin\r\n* CAPABILITY AUTH=PLAIN\r\npostern OK\r\na OK in\r\n");
    receivedLines.push(await wire.line());
  });
  await assert.rejects(login, /more than its answer/);
  assert.deepEqual(receivedLines, ["postern STARTTLS"]);
});
