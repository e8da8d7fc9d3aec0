// Response injection by STARTTLS at the upstream (CVE-2020-14954 and its kind), and its other half, an upstream whose
// TLS an attacker strips: no clear text is believed under TLS, and no password is sent in the clear.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../../support/peers/attack-site.ts";
import { type Certificate, selfSigned } from "../../../support/certificates/certificate.ts";
import { route } from "../../../support/peers/lookup-endpoint.ts";
import {
  anna,
  attempt,
  greeted,
  protocolNames,
  temporary,
} from "../../../support/peers/mail-client.ts";
import { untilClosed } from "../../../support/peers/mail-client.ts";
import { splits } from "../../../support/peers/raw-client.ts";

/** Up to the answer to STARTTLS, which is the last piece. */
const OFFER: Record<ProtocolName, readonly string[]> = {
  imap: ["* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\r\n", "postern OK begin\r\n"],
  pop3: ["+OK hi\r\n", "+OK\r\nSTLS\r\nUSER\r\n.\r\n", "+OK begin\r\n"],
  smtp: ["220 hi\r\n", "250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", "220 begin\r\n"],
};

/** A whole login, as the upstream would answer it under TLS. */
const INJECTED: Record<ProtocolName, string> = {
  imap: "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\npostern OK\r\na OK in\r\n",
  pop3: "+OK\r\nUSER\r\n.\r\n+OK\r\n+OK in\r\n",
  smtp: "250-mx\r\n250 AUTH PLAIN\r\n235 in\r\n",
};

const START = { imap: "STARTTLS", pop3: "STLS", smtp: "STARTTLS" };

interface Attack {
  /** The segments of the answer to STARTTLS. */
  readonly pieces: readonly string[];
  /** True where the attacker then lets the handshake through. */
  readonly handshake?: boolean;
}

let site: AttackSite<ProtocolName>;
let pair: Certificate;
let server: Server;
let attack: Attack;
let protocol: ProtocolName;
/** All that Postern sent, in the clear and under TLS. */
let heard = "";

before(async () => {
  pair = await selfSigned("mail.test");
  server = createServer((socket) => void upstream(socket.setNoDelay()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  site = await startAttackSite("proxy_ssl starttls; proxy_ssl_verify off;", {
    imap: "listen 127.0.0.1:PORT; protocol imap;",
    pop3: "listen 127.0.0.1:PORT; protocol pop3;",
    smtp: "listen 127.0.0.1:PORT; protocol smtp; proxy_smtp_auth on; xclient off;",
  });
  site.answer = () => route((server.address() as AddressInfo).port);
});
after(async () => {
  await site.stop();
  server.close();
});

async function upstream(socket: Socket): Promise<void> {
  const offer = OFFER[protocol].slice(0, -1);
  socket.on("error", () => {});
  socket.write(offer[0]!);
  for (const next of offer.slice(1)) {
    heard += await once(socket, "data").then(String);
    socket.write(next);
  }
  const [command] = (await once(socket, "data")) as [Buffer];
  heard += command.toString("latin1");
  if (!heard.includes(START[protocol])) {
    socket.destroy();
    return;
  }
  const { pieces, handshake = false } = attack;
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await pause(5);
    socket.write(piece, "latin1");
  }
  if (!handshake) socket.on("data", (bytes: Buffer) => (heard += bytes.toString("latin1")));
  else {
    const { key, certificate: cert } = pair;
    const secured = new TLSSocket(socket, { isServer: true, key, cert });
    secured.on("error", () => {}).on("data", (bytes: Buffer) => (heard += bytes.toString()));
  }
}

/** The client's login fails temporarily, and nothing of it was sent. */
async function assertHeld(on: ProtocolName, how: Attack): Promise<void> {
  [protocol, attack, heard] = [on, how, ""];
  const wire = await greeted(on, site.postern.ports[on]);
  assert.match(await attempt(on, wire), temporary[on]);
  assert.deepEqual(await untilClosed(wire), []);
  const forms = [anna.login, anna.password, btoa(`\0${anna.login}\0${anna.password}`)];
  for (const form of forms) assert.ok(!heard.includes(form), heard);
}

for (const on of protocolNames) {
  describe(on, () => {
    const go = OFFER[on].at(-1)!;

    test("answers in the clear in one segment with the upstream's OK are never believed, even if TLS follows", async () => {
      await assertHeld(on, { pieces: [go + INJECTED[on]], handshake: true });
      await site.postern.proxy.program.logs(/upstream sent more than its answer to STARTTLS/);
    });

    test("one byte in the clear behind the upstream's OK is enough to end the login", async () => {
      for (const byte of ["\n", " ", "\0", "*"]) await assertHeld(on, { pieces: [go + byte] });
    });

    test("answers in the clear in a later segment break the handshake, and are never believed", async () => {
      await assertHeld(on, { pieces: [go, INJECTED[on]] });
      await assertHeld(on, { pieces: [go, INJECTED[on]], handshake: true });
    });

    test("an OK with answers behind it ends the login wherever it is split", async () => {
      for (const [head, tail] of splits(go)) {
        await assertHeld(on, { pieces: [head, tail + INJECTED[on]], handshake: true });
      }
    });

    test("an upstream that refuses TLS, or answers as if the login had come, gets no password", async () => {
      const refusals = { imap: "postern NO no\r\n", pop3: "-ERR no\r\n", smtp: "454 no\r\n" };
      const logins = { imap: "a OK in\r\n", pop3: "+OKAY in\r\n", smtp: "235 in\r\n" };
      await assertHeld(on, { pieces: [refusals[on]] });
      await assertHeld(on, { pieces: [logins[on] + INJECTED[on]] });
    });
  });
}
