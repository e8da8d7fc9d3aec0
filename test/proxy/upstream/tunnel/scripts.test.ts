// The bytes to and from outbound proxies, without sockets, cut at every byte.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { connect } from "../../../../proxy/upstream/tunnel/connect.ts";
import { socks5 } from "../../../../proxy/upstream/tunnel/socks5.ts";
import { Input, type Script } from "../../../../proxy/transport/index.ts";
import { inputs } from "../../../support/property.ts";

type Exchange = {
  /** The texts that the script sent. */
  readonly said: readonly string[];
  /** The bytes behind the exchange, or the script's error. */
  readonly end: string;
};

/** Runs a script against the proxy's bytes, in pieces. */
function play(script: (input: Input) => Script<void>, pieces: readonly string[]): Exchange {
  const input = new Input();
  const said: string[] = [];
  const running = script(input);
  const left = [...pieces];
  try {
    for (;;) {
      const { done, value } = running.next();
      if (done === true) break;
      if (value !== null) {
        assert.ok(typeof value === "string");
        said.push(value);
        continue;
      }
      const piece = left.shift();
      if (piece === undefined) return { said, end: "waits" };
      input.append(Buffer.from(piece, "latin1"));
    }
  } catch (error) {
    return { said, end: error instanceof Error ? error.message || error.name : "?" };
  }
  const rest = Buffer.from(input.rest()).toString("latin1") + left.join("");
  return { said, end: `tunnel ${JSON.stringify(rest)}` };
}

/** Runs a script against the whole text, byte by byte, and cut in two at each byte; all results are equal. */
function playInPieces(script: (input: Input) => Script<void>, words: string): Exchange {
  const whole = play(script, [words]);
  assert.deepEqual(play(script, [...words]), whole);
  for (let cut = 1; cut < words.length; cut++) {
    assert.deepEqual(play(script, [words.slice(0, cut), words.slice(cut)]), whole);
  }
  return whole;
}

const server = { host: "192.0.2.7", port: 143 };
const anna = { user: "anna", password: "s\xe9cret" };

describe("CONNECT", () => {
  const http = (words: string, to = server, credentials: typeof anna | null = null): Exchange =>
    playInPieces((input) => connect(input, to, credentials), words);

  test("names the server by its name or address, and sends credentials where the configuration has some", () => {
    const asked = (to: typeof server, credentials: typeof anna | null = null): string =>
      http("HTTP/1.1 200 OK\r\n\r\n", to, credentials).said.join("");
    assert.equal(asked(server), "CONNECT 192.0.2.7:143 HTTP/1.1\r\nHost: 192.0.2.7:143\r\n\r\n");
    assert.equal(
      asked({ host: "2001:db8::1", port: 993 }),
      "CONNECT [2001:db8::1]:993 HTTP/1.1\r\nHost: [2001:db8::1]:993\r\n\r\n",
    );
    assert.equal(
      asked({ host: "mail.example", port: 25 }, anna),
      "CONNECT mail.example:25 HTTP/1.1\r\nHost: mail.example:25\r\n" +
        `Proxy-Authorization: Basic ${Buffer.from("anna:s\xe9cret", "latin1").toString("base64")}\r\n\r\n`,
    );
  });

  const GOOD: readonly string[] = [
    "HTTP/1.1 200 Connection established\r\n\r\n",
    "HTTP/1.0 200\r\nVia: 1.1 squid\r\nX-A:\r\n\r\n",
    "HTTP/1.1 204 \xff\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\nA: b\n\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 299 x\r\n\r\n",
  ];
  for (const head of GOOD) {
    test(`opens the tunnel after ${JSON.stringify(head)}, and passes on a banner behind the response`, () => {
      assert.equal(http(head).end, 'tunnel ""');
      assert.equal(http(`${head}* OK hi\r\n`).end, String.raw`tunnel "* OK hi\r\n"`);
    });
  }

  const BAD: Readonly<Record<string, string>> = {
    "HTTP/1.1 407 give me SECRET\r\nProxy-Authenticate: Basic\r\n\r\nx":
      "answered 407 Proxy Authentication Required",
    "HTTP/1.1 403 x\r\n\r\n": "answered 403 Forbidden",
    "HTTP/1.0 502\r\n\r\n": "answered 502 Bad Gateway",
    "HTTP/1.1 503 Service Unavailable\r\n\r\n": "answered 503 Service Unavailable",
    "HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n": "answered 302",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n": "answered 101",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 504 x\r\n\r\n": "answered 504 Gateway Timeout",
    "HTTP/2 200 OK\r\n\r\n": "sent invalid response",
    "HTTP/1.1 099 OK\r\n\r\n": "sent invalid response",
    "HTTP/1.1 2000 OK\r\n\r\n": "sent invalid response",
    "HTTP/1.1  200 OK\r\n\r\n": "sent invalid response",
    "\r\nHTTP/1.1 200 OK\r\n\r\n": "sent invalid response",
    "* OK IMAP4rev1 ready\r\n": "sent invalid response",
    "\x05\x00\n": "sent invalid response",
    "HTTP/1.1 200 O\rK\r\n\r\n": "sent invalid response",
    "HTTP/1.1 200 OK\r\nno header\r\n\r\n": "sent invalid response",
    "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n": "sent invalid response",
    "HTTP/1.1 200 OK\r\nA : b\r\n\r\n": "sent invalid response",
    "HTTP/1.1 200 OK\r\nA: b\r\n": "waits",
    "": "waits",
  };
  for (const [words, why] of Object.entries(BAD)) {
    test(`opens no tunnel after ${JSON.stringify(words)}`, () => {
      assert.equal(http(words).end, why);
    });
  }

  test("reads at most 16 KiB, in one line, in many lines or in many responses", () => {
    for (const words of [
      "x".repeat(16_384),
      `HTTP/1.1 200 OK\r\nA: ${"x".repeat(16_384)}\r\n\r\n`,
      `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(3000)}\r\n`,
      "HTTP/1.1 100 Continue\r\n\r\n".repeat(700),
    ]) {
      assert.equal(play((input) => connect(input, server, null), [words]).end, "TooLong");
    }
    const fits = `HTTP/1.1 200 OK\r\nA: ${"x".repeat(16_000)}\r\n\r\n`;
    assert.equal(play((input) => connect(input, server, null), [fits]).end, 'tunnel ""');
  });
});

describe("SOCKS5", () => {
  const socks = (words: string, to = server, credentials: typeof anna | null = null): Exchange =>
    playInPieces((input) => socks5(input, to, credentials), words);
  const ASKED = "\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x8f";
  const GRANTED = "\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38";

  test("opens the tunnel without a login, for every bound address that the proxy sends", () => {
    for (const bound of [
      "\x01\x7f\x00\x00\x01\x04\x38",
      `\x04${"\x00".repeat(16)}\x04\x38`,
      "\x03\x05proxy\x04\x38",
      "\x03\x00\x00\x00",
    ]) {
      const { said, end } = socks(`\x05\x00\x05\x00\x00${bound}220 hi\r\n`);
      assert.deepEqual(said, ["\x05\x01\x00", ASKED]);
      assert.equal(end, String.raw`tunnel "220 hi\r\n"`);
    }
  });

  test("logs in only where the proxy selects the login method", () => {
    const login = "\x01\x04anna\x06s\xe9cret";
    assert.deepEqual(socks(`\x05\x02\x01\x00${GRANTED}`, server, anna), {
      said: ["\x05\x02\x00\x02", login, ASKED],
      end: 'tunnel ""',
    });
    assert.deepEqual(socks(`\x05\x00${GRANTED}`, server, anna), {
      said: ["\x05\x02\x00\x02", ASKED],
      end: 'tunnel ""',
    });
  });

  test("names the server by its IPv4 address, its IPv6 address or its name", () => {
    const asked = (host: string, port: number): string =>
      socks(`\x05\x00${GRANTED}`, { host, port }).said[1] ?? "";
    assert.equal(
      asked("2001:db8::1", 993),
      `\x05\x01\x00\x04\x20\x01\x0d\xb8${"\x00".repeat(11)}\x01\x03\xe1`,
    );
    assert.equal(asked("::ffff:192.0.2.7", 143), ASKED);
    assert.equal(asked("mail.example", 65_535), "\x05\x01\x00\x03\x0cmail.example\xff\xff");
  });

  const BAD: Readonly<Record<string, string>> = {
    "\x05\xff": "wants a login",
    "\x05\x02": "sent invalid response",
    "\x05\x01": "sent invalid response",
    "\x04\x00": "sent invalid response",
    "HTTP/1.1 400 Bad Request\r\n\r\n": "sent invalid response",
    "\x05\x00\x05\x01": "answered 1 general SOCKS server failure",
    "\x05\x00\x05\x02\x00\x01": "answered 2 connection not allowed by ruleset",
    "\x05\x00\x05\x03": "answered 3 Network unreachable",
    "\x05\x00\x05\x04": "answered 4 Host unreachable",
    "\x05\x00\x05\x05": "answered 5 Connection refused",
    "\x05\x00\x05\x06": "answered 6 TTL expired",
    "\x05\x00\x05\x07": "answered 7 Command not supported",
    "\x05\x00\x05\x08": "answered 8 Address type not supported",
    "\x05\x00\x05\x09": "answered 9",
    "\x05\x00\x04\x00": "sent invalid response",
    "\x05\x00\x05\x00\x01\x01": "sent invalid response",
    "\x05\x00\x05\x00\x00\x02": "sent invalid response",
    "\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x04": "waits",
    "\x05": "waits",
  };
  for (const [words, why] of Object.entries(BAD)) {
    test(`opens no tunnel after ${JSON.stringify(words)}`, () => {
      assert.equal(socks(words).end, why);
    });
  }

  const BAD_LOGINS: Readonly<Record<string, string>> = {
    "\x05\xff": "accepts no user name and password",
    "\x05\x02\x01\x01": "refused the user name or password",
    "\x05\x02\x05\x00": "sent invalid response",
    "\x05\x02\x01": "waits",
  };
  for (const [words, why] of Object.entries(BAD_LOGINS)) {
    test(`rejects the login after ${JSON.stringify(words)}`, () => {
      assert.equal(socks(words, server, anna).end, why);
    });
  }

  test("rejects a name of more than 255 bytes", () => {
    const { end } = socks("\x05\x00", { host: "x".repeat(256), port: 1 });
    assert.equal(end, "cannot be told more than 255 bytes");
  });
});

const SCRIPTS = {
  connect: (input: Input) => connect(input, server, anna),
  socks5: (input: Input) => socks5(input, server, anna),
};
/** Fragments of proxies' responses, and the credentials, which no error may contain. */
const PIECES = [
  ..."\x05\x00\x02\x01\x03\x04\xff\n",
  "HTTP/1.1 ",
  "200",
  "100",
  "407",
  " OK",
  "\r\n",
  "A: b",
  "s\xe9cret",
  "anna",
];
for (const [name, script] of Object.entries(SCRIPTS)) {
  test(`${name} ends the same however a response is cut, and its error holds no credentials`, () => {
    const plausible = fc
      .array(fc.constantFrom(...PIECES), { maxLength: 30 })
      .map((words) => words.join(""));
    const noise = fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b).toString("latin1"));
    fc.assert(
      fc.property(fc.oneof(plausible, noise), fc.array(fc.nat(20)), (words, cuts) => {
        const whole = play(script, [words]);
        const pieces: string[] = [];
        let at = 0;
        for (const cut of cuts) pieces.push(words.slice(at, (at += cut + 1)));
        assert.deepEqual(
          play(
            script,
            [...pieces, words.slice(at)].filter((p) => p !== ""),
          ),
          whole,
        );
        if (!whole.end.startsWith("tunnel")) assert.doesNotMatch(whole.end, /s\xe9cret|anna/);
      }),
      inputs(4),
    );
  });
}
