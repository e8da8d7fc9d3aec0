// The error log of a session: each event has nginx's text, level and context.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import {
  type LookupEndpoint,
  never,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import type { Listener } from "../../support/peers/mailbox/index.ts";
import { untilClosed } from "../../support/peers/mail-client.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/peers/upstream.ts";
import { Wire } from "../../support/peers/wire.ts";

/** Upstreams by login: each sends its first piece, then a piece for each line, and then stays silent. */
const SCRIPTS: Record<string, readonly string[]> = {
  mute: [],
  "mute-later": ["* OK hi\r\n"],
  "mute-at-user": ["* OK hi\r\n", "+ go\r\n"],
  "mute-at-pass": ["* OK hi\r\n", "+ go\r\n", "+ go\r\n"],
  half: ["* O"],
  other: ["* OK hi\r\n", "x NO b\r\n"],
  endless: [`* OK ${"x".repeat(600)}`],
  lines: ["* OK hi\r\n", "+ go\r\n", "+ go\r\n", "* 1 EXISTS\r\n".repeat(60)],
};

const upstreams = new Map<string, Listener>();
let good: Listener;
let mail: Listener;
let endpoint: LookupEndpoint;
let closedPort: number;
let postern: Servers<"imap" | "smtp" | "login" | "delay" | "header" | "passing" | "tls">;

before(async () => {
  for (const [name, pieces] of Object.entries(SCRIPTS)) {
    const upstream = await startUpstream(async (wire) => {
      for (const [index, piece] of pieces.entries()) {
        if (index > 0) await wire.line();
        wire.write(piece);
      }
      await silence();
    });
    upstreams.set(name, upstream);
  }
  good = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  mail = await startUpstream(async (wire) => {
    wire.write("220 in\r\n");
    for (;;) {
      await wire.line();
      wire.write("250 XCLIENT\r\n");
    }
  });
  [closedPort = 0] = await freePorts(1);
  const answers: Record<string, () => string | Promise<string>> = {
    "": () => route(mail.port),
    ext: () => route(mail.port),
    anna: () => route(good.port),
    no: () => reply(200, { "Auth-Status": "bad password" }),
    never,
    "no-server": () => reply(200, { "Auth-Status": "OK" }),
    "bad-server": () => route(1, { "Auth-Server": "x/y" }),
    "bad-port": () => route(70_000),
    "bad-header": () => "HTTP/1.0 200 OK\r\nAuth Status: OK\r\n\r\n",
    "bad-status": () => "HTTP/1.0 200 OK\rAuth-Status: OK\r\n\r\n",
    stranded: () => route(closedPort),
  };
  endpoint = await startLookupEndpoint((lookup) => {
    const login = lookup.header("Auth-User") ?? "";
    return answers[login]?.() ?? route(upstreams.get(login)?.port ?? closedPort);
  });
  const imap = "protocol imap; imap_auth plain external;";
  postern = await startServers(
    `auth_http ${endpoint.address}; auth_http_timeout 500ms; timeout 800ms; max_errors 2; proxy_buffer 512;`,
    {
      imap: `listen 127.0.0.1:PORT; ${imap} starttls on;`,
      smtp: "listen 127.0.0.1:PORT; protocol smtp; smtp_auth none external; proxy_smtp_auth on;",
      login: `listen 127.0.0.1:PORT; protocol smtp; auth_http http://127.0.0.1:${closedPort}/;`,
      delay: "listen 127.0.0.1:PORT; protocol smtp; smtp_greeting_delay 5s;",
      header: `listen 127.0.0.1:PORT proxy_protocol; ${imap}`,
      passing: `listen 127.0.0.1:PORT; ${imap} proxy_protocol on;`,
      tls: `listen 127.0.0.1:PORT ssl; ${imap}`,
    },
  );
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await Promise.all([good, mail, ...upstreams.values()].map((upstream) => upstream.close()));
});

interface Session {
  readonly server: keyof (typeof postern)["ports"];
  /** Lines of the client; each waits for the reply to the line before. */
  readonly says?: readonly string[];
  /** True where the client does not wait for a greeting or a reply. */
  readonly ungreeted?: boolean;
  /** The client's close; a client without one waits for the server's close. */
  readonly leaves?: "FIN" | "RST";
  /** Level and text, `|`, and the context; the test adds the client and the server. */
  readonly log: readonly string[];
}

const b64 = btoa;
const lookup = (login: string, level: string, message: string): Session => ({
  server: "imap",
  says: [`a LOGIN ${login} x`],
  log: [`[${level}] ${message} while in http auth state|, login: "${login}"`],
});
const upstream = (login: string, level: string, message: string, doing: string): Session => ({
  server: "imap",
  says: [`a LOGIN ${login} x`],
  log: [`[${level}] ${message} while ${doing}|, login: "${login}", upstream: UPSTREAM`],
});
const slow = "upstream timed out (110: Connection timed out)";

const SESSIONS: Record<string, Session> = {
  "a login": {
    server: "imap",
    says: ["a LOGIN anna x"],
    leaves: "FIN",
    log: [
      '[info] client logged in|, login: "anna", upstream: UPSTREAM',
      '[info] proxied session done|, login: "anna", upstream: UPSTREAM',
    ],
  },
  "a refusal": lookup("no", "info", 'client login failed: "bad password"'),
  "a lookup that times out": lookup(
    "never",
    "error",
    "auth http server ENDPOINT timed out (110: Connection timed out)",
  ),
  "a lookup without a server": lookup(
    "no-server",
    "error",
    "auth http server ENDPOINT did not send server or port",
  ),
  "a lookup with a bad server": lookup(
    "bad-server",
    "error",
    'auth http server ENDPOINT sent invalid server address:"x/y"',
  ),
  "a lookup with a bad port": lookup(
    "bad-port",
    "error",
    'auth http server ENDPOINT sent invalid server port:"70000"',
  ),
  "a lookup with a bad header": lookup(
    "bad-header",
    "error",
    "auth http server ENDPOINT sent invalid header in response",
  ),
  "a lookup with a bad status line": lookup(
    "bad-status",
    "error",
    "auth http server ENDPOINT sent invalid response",
  ),
  "a lookup without a password": {
    server: "imap",
    says: [`a AUTHENTICATE EXTERNAL ${b64("anna")}`],
    log: [
      '[error] auth http server ENDPOINT did not send password while in http auth state|, login: "anna"',
    ],
  },
  "a lookup to a closed port": {
    server: "login",
    says: [`AUTH PLAIN ${b64("\0anna\0x")}`],
    log: [
      '[error] auth http server NOBODY recv() failed (111: Connection refused) while in http auth state|, login: "anna"',
    ],
  },
  "an upstream with a closed port": upstream(
    "stranded",
    "error",
    "recv() failed (111: Connection refused)",
    "connecting to upstream",
  ),
  "an upstream that sends no greeting": upstream("mute", "info", slow, "connecting to upstream"),
  "an upstream that does not answer LOGIN": upstream(
    "mute-later",
    "info",
    slow,
    "sending LOGIN command to upstream",
  ),
  "an upstream that does not answer the name": upstream(
    "mute-at-user",
    "info",
    slow,
    "sending user name to upstream",
  ),
  "an upstream that does not answer the password": upstream(
    "mute-at-pass",
    "info",
    slow,
    "sending password to upstream",
  ),
  "an upstream that sends half a line": upstream(
    "half",
    "info",
    slow,
    "reading response from upstream",
  ),
  "an upstream that sends an invalid response": upstream(
    "other",
    "error",
    'upstream sent invalid response: "x NO b"',
    "reading response from upstream",
  ),
  "an upstream whose line fills proxy_buffer": upstream(
    "endless",
    "error",
    "upstream sent too long response line",
    "reading response from upstream",
  ),
  "an upstream whose lines fill proxy_buffer": upstream(
    "lines",
    "error",
    "upstream sent too long response line",
    "reading response from upstream",
  ),
  "an upstream that does not answer a PROXY header": {
    server: "passing",
    says: ["a LOGIN mute x"],
    log: [
      `[info] ${slow} while sending PROXY protocol header to upstream|, login: "mute", upstream: UPSTREAM`,
    ],
  },
  "a recipient without a login": {
    server: "smtp",
    says: ["MAIL FROM:<a@b>", "RCPT TO:<b@c>"],
    leaves: "FIN",
    log: [
      "[info] client logged in|, upstream: UPSTREAM",
      "[info] proxied session done|, upstream: UPSTREAM",
    ],
  },
  "a login without a password for the upstream": {
    server: "smtp",
    says: [`AUTH EXTERNAL ${b64("ext")}`],
    log: [
      '[error] no password available while sending AUTH to upstream|, login: "ext", upstream: UPSTREAM',
    ],
  },
  "a client with too many invalid commands": {
    server: "imap",
    says: ["a X", "b X"],
    log: ["[info] client sent too many invalid commands while in auth state|"],
  },
  "a command that is too long": {
    server: "imap",
    says: [`a LOGIN anna ${"x".repeat(5000)}`],
    log: ['[info] client sent too long command "LOGIN" while in auth state|'],
  },
  "a SASL response with invalid base64": {
    server: "imap",
    says: ["a AUTHENTICATE PLAIN !"],
    leaves: "FIN",
    log: ["[info] client sent invalid base64 encoding in AUTH PLAIN command while in auth state|"],
  },
  "a refused MAIL": {
    server: "login",
    says: ["MAIL FROM:<a@b>"],
    leaves: "FIN",
    log: ['[info] client was rejected: "MAIL FROM:<a@b>__" while in auth state|'],
  },
  "a client that speaks before the greeting": {
    server: "delay",
    ungreeted: true,
    says: ["EHLO x"],
    log: [
      '[info] client was rejected before greeting: "EHLO x__" while in delay pipelining state|',
    ],
  },
  "a client that sends nothing": {
    server: "imap",
    log: ["[info] client timed out (110: Connection timed out) while in auth state|"],
  },
  "a client that resets before its login": {
    server: "imap",
    says: ["a NOOP"],
    leaves: "RST",
    log: ["[info] recv() failed (104: Connection reset by peer) while in auth state|"],
  },
  "a client that resets after its login": {
    server: "imap",
    says: ["a LOGIN anna x"],
    leaves: "RST",
    log: [
      '[info] client logged in|, login: "anna", upstream: UPSTREAM',
      '[info] recv() failed (104: Connection reset by peer) while proxying|, login: "anna", upstream: UPSTREAM',
      '[info] proxied session done|, login: "anna", upstream: UPSTREAM',
    ],
  },
  "a malformed PROXY header": {
    server: "header",
    ungreeted: true,
    says: ["PROXY TCP4 192.0.2.7 my-secret"],
    log: ['[error] broken header: "PROXY TCP4 192.0.2.7" while reading PROXY protocol|'],
  },
  "a PROXY header of an unknown version": {
    server: "header",
    ungreeted: true,
    says: ["\r\n\r\n\0\r\nQUIT\n\x31\0\0"],
    log: ["[error] unknown PROXY protocol version: 3 while reading PROXY protocol|"],
  },
  "a PROXY header that the client breaks off": {
    server: "header",
    ungreeted: true,
    leaves: "FIN",
    log: ['[error] broken header: "" while reading PROXY protocol|'],
  },
  "a missing PROXY header": {
    server: "header",
    ungreeted: true,
    log: ["[info] client timed out (110: Connection timed out) while reading PROXY protocol|"],
  },
  "a handshake in plain text": {
    server: "tls",
    ungreeted: true,
    says: ["a NOOP"],
    log: [
      "[info] SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking|",
    ],
  },
  "a handshake in plain text after STARTTLS": {
    server: "imap",
    says: ["a STARTTLS", "b NOOP"],
    log: [
      "[info] SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while in starttls state| using starttls",
    ],
  },
};

/** Plays a session, and returns the number of its connection. */
async function play({ server, says = [], ungreeted = false, leaves }: Session): Promise<string> {
  const socket = connect(postern.ports[server], "127.0.0.1");
  await once(socket, "connect");
  // The pattern includes the server's port, because two clients may have the same port towards two servers.
  const connected = new RegExp(
    `\\*(\\d+) client 127\\.0\\.0\\.1:${socket.localPort} connected to 127\\.0\\.0\\.1:${postern.ports[server]}`,
  );
  const wire = new Wire(socket);
  if (!ungreeted) await wire.line();
  for (const line of says) {
    wire.write(`${line}\r\n`);
    if (!ungreeted) await wire.line().catch(() => {});
  }
  if (leaves === "RST") socket.resetAndDestroy();
  else if (leaves === "FIN") wire.end();
  await untilClosed(wire);
  const [[, number = ""] = []] = await postern.proxy.program.logs(connected);
  return number;
}

const LINE = /^\S+ \S+ (\[\w+\]) \d+#\d+: \*(\d+) (.*)$/;

describe("the error log", { concurrency: 4 }, () => {
  for (const [name, session] of Object.entries(SESSIONS)) {
    test(`${name} is logged with nginx's text, level and context`, async () => {
      const number = await play(session);
      const { program } = postern.proxy;
      const server = `127.0.0.1:${postern.ports[session.server]}`;
      const sessionLines = (): string[] =>
        program.stderr.split("\n").flatMap((line) => {
          const [, level, connection, text = ""] = LINE.exec(line) ?? [];
          const normalized = text
            .replaceAll(`127.0.0.1:${endpoint.port}`, "ENDPOINT")
            .replace(/upstream: 127\.0\.0\.1:\d+$/, "upstream: UPSTREAM")
            .replace(`auth http server 127.0.0.1:${closedPort}`, "auth http server NOBODY");
          return connection === number ? `${level} ${normalized}` : [];
        });
      const expected = session.log.map((line) => {
        const [message, context = ""] = line.split("|");
        const [, starttls = "", rest = ""] = /^( using starttls)?(.*)$/.exec(context) ?? [];
        return `${message}, client: 127.0.0.1${starttls}, server: ${server}${rest}`;
      });
      await program.logs(new RegExp(`\\*${number} `), 1 + expected.length);
      const [first = "", ...lines] = sessionLines();
      assert.match(
        first,
        new RegExp(`^\\[info\\] client 127\\.0\\.0\\.1:\\d+ connected to ${server}$`),
      );
      assert.deepEqual(lines, expected);
    });
  }
});
