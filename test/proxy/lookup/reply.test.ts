import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cost } from "../../support/cost.ts";
import { HeadReader, InvalidReply, type ReplyHead } from "../../../proxy/lookup/reply.ts";
import { Input, TooLong } from "../../../proxy/transport/index.ts";

/** Feeds a reply in pieces. */
function read(pieces: readonly string[]): ReplyHead | null {
  const reader = new HeadReader(false);
  const input = new Input();
  for (const piece of pieces) {
    if (piece !== "") input.append(Buffer.from(piece, "latin1"));
    const head = reader.next(input);
    if (head !== null) return head;
  }
  return null;
}

/** What a reply with these lines answers. */
function answer(...lines: readonly string[]): string {
  const head = read([`${lines.join("\r\n")}\r\n\r\n`]);
  assert.ok(head);
  return told(head);
}

function told({ reply: said }: ReplyHead): string {
  switch (said.kind) {
    case "route": {
      const { host, port } = said.route.servers[0];
      return `route ${host} ${port} ${said.login} ${said.password}`;
    }
    case "refused":
      return `refused "${said.text}" ${said.errorCode} ${said.wait}`;
    case "wait":
      return `wait ${said.wait}`;
    case "unavailable":
      return `unavailable "${said.text}" ${said.errorCode}: ${said.why}`;
  }
}

const OK = ["HTTP/1.1 200 OK", "Auth-Status: OK", "Auth-Server: 192.0.2.1", "Auth-Port: 143"];
const ROUTE = "route 192.0.2.1 143 null null";

test("a yes is a route", () => {
  assert.equal(answer(...OK), ROUTE);
  assert.equal(
    answer(...OK, "Auth-User: Anna %20", "Auth-Pass: x y"),
    "route 192.0.2.1 143 Anna %20 x y",
  );
  assert.equal(answer("HTTP/1.1 204 No", ...OK.slice(1)), ROUTE);
});

const WRITTEN: Record<string, string> = {
  "with LF for CRLF": `${OK.join("\n")}\n\n`,
  "without a status line": `${OK.slice(1).join("\r\n")}\r\n\r\n`,
  "with HTTP/1.0": [...OK, "", ""].join("\r\n").replace("1.1", "1.0"),
  "with a status line without words": [...OK, "", ""].join("\r\n").replace(" OK", ""),
  "in other letters": [...OK, "", ""].join("\r\n").replace("Auth-Server", "AUTH-server"),
  "without a space behind the colon": [...OK, "", ""].join("\r\n").replace("Port: ", "Port:"),
  "with tabs and trailing blanks": [...OK, "", ""]
    .join("\r\n")
    .replace("Port: 143", "Port:\t 143 \t"),
  "with unknown headers of all kinds": [
    ...OK,
    "X_y: 1",
    "Empty:",
    "bare",
    "Ünicode".replace("Ü", "U"),
    "",
    "",
  ].join("\r\n"),
  "with 15 KB of other headers": [
    ...OK,
    ...Array.from({ length: 15 }, () => `X: ${"x".repeat(1000)}`),
    "",
    "",
  ].join("\r\n"),
};
for (const [how, text] of Object.entries(WRITTEN)) {
  test(`a reply ${how} is understood`, () => {
    const head = read([text]);
    assert.equal(head && told(head), ROUTE);
  });

  test(`a reply ${how} is understood byte by byte`, () => {
    const head = read(text.split(""));
    assert.equal(head && told(head), ROUTE);
  });
}

test("a reply is not looked at before its empty line", () => {
  assert.equal(read([`${OK.join("\r\n")}\r\n`]), null);
  assert.equal(read([`${OK.join("\r\n")}\r\n\r`]), null);
});

describe("of a repeated header", () => {
  test("the last one counts", () => {
    assert.equal(answer(...OK, "Auth-Port: 1143", "auth-server: ::1"), "route ::1 1143 null null");
  });

  test("an Auth-Status that refuses stays refused", () => {
    const refused = ["HTTP/1.1 200 OK", "Auth-Status: no", ...OK.slice(1)];
    assert.equal(answer(...refused), 'refused "no" null 0');
    assert.equal(answer(...OK, "Auth-Status: no"), 'refused "no" null 0');
  });

  test("an empty Auth-Status is not made good by an OK", () => {
    assert.doesNotMatch(answer("HTTP/1.1 200 OK", "Auth-Status:", ...OK.slice(1)), /^route/);
    assert.doesNotMatch(answer(...OK, "Auth-Status:"), /^route/);
  });

  test("an empty Auth-Status is a refusal without words, of a 2xx only", () => {
    assert.equal(answer("HTTP/1.1 200 OK", "Auth-Status:", "Auth-Wait: 1"), 'refused "" null 1');
    assert.match(answer("HTTP/1.1 404 Where", "Auth-Status:"), /^unavailable .*answered 404$/);
  });

  test("of several refusals the last one counts", () => {
    const lines = ["HTTP/1.1 200 OK", "Auth-Status: no", "Auth-Status: not now"];
    assert.equal(answer(...lines, "Auth-Status: OK"), 'refused "not now" null 0');
  });

  test("a CR that ends no line breaks the status line", () => {
    assert.throws(
      () => read(["HTTP/1.0 200 OK\rAuth-Status: OK\r\n\r\n"]),
      new InvalidReply("sent invalid response"),
    );
  });

  test("an empty Auth-Status hides no refusal", () => {
    assert.equal(
      answer("HTTP/1.1 200 OK", "Auth-Status:", "Auth-Status: no"),
      'refused "no" null 0',
    );
  });
});

test("a refusal is told in the endpoint's words, bytes and all", () => {
  const words = "[AUTH] Falsches Kennwort f\xc3\xbcr dich";
  assert.equal(answer("HTTP/1.1 200 OK", `Auth-Status: ${words}`), `refused "${words}" null 0`);
  const more = ["Auth-Error-Code: 535 5.7.8", "Auth-Wait: 3"];
  assert.equal(answer("HTTP/1.1 200 OK", "Auth-Status: no", ...more), 'refused "no" 535 5.7.8 3');
});

test("a wait that is no number is none", () => {
  for (const wait of ["x", "-1", "1.5", "1s", "", "9".repeat(30)]) {
    assert.equal(
      answer("HTTP/1.1 200 OK", "Auth-Status: no", `Auth-Wait: ${wait}`),
      'refused "no" null 0',
    );
  }
});

test("WAIT asks for the same question later", () => {
  assert.equal(answer("HTTP/1.1 200 OK", "Auth-Status: WAIT", "Auth-Wait: 2"), "wait 2");
  assert.equal(answer("HTTP/1.1 200 OK", "Auth-Status: WAIT", ...OK.slice(1)), "wait 0");
  assert.equal(
    answer("HTTP/1.1 200 OK", "Auth-Status: WAIT", "Auth-Status: no"),
    'refused "no" null 0',
  );
});

const UNAVAILABLE: Record<string, string[]> = {
  "answered 403": ["HTTP/1.1 403 Forbidden"],
  "answered 404": ["HTTP/1.1 404 Not Found", ...OK.slice(1)],
  "answered 302": ["HTTP/1.1 302 Found", ...OK.slice(1)],
  "answered 500": ["HTTP/1.1 500 Oops", ...OK.slice(1)],
  "did not send Auth-Status": ["HTTP/1.1 200 OK", "Auth-Server: 192.0.2.1", "Auth-Port: 143"],
  "did not send server or port": OK.slice(0, 3),
  'sent invalid server address:"mail_1.example:143"': [...OK, "Auth-Server: mail_1.example:143"],
  'sent invalid server address:"ma il"': [...OK, "Auth-Server: ma il"],
  'sent invalid server address:"a..b"': [...OK, "Auth-Server: a..b"],
  'sent invalid server address:"[::1]"': [...OK, "Auth-Server: [::1]"],
  'sent invalid server address:"1.2.3"': [...OK, "Auth-Server: 1.2.3"],
  'sent invalid server port:"0"': [...OK, "Auth-Port: 0"],
  'sent invalid server port:"65536"': [...OK, "Auth-Port: 65536"],
  'sent invalid server port:"143x"': [...OK, "Auth-Port: 143x"],
  'sent invalid Auth-Fallback:"192.0.2.2"': [...OK, "Auth-Fallback: 192.0.2.2"],
  'sent invalid Auth-Fallback:"192.0.2.2:0"': [...OK, "Auth-Fallback: 192.0.2.2:0"],
  'sent invalid Auth-Fallback:"::1:143"': [...OK, "Auth-Fallback: ::1:143"],

  'sent invalid Auth-Upstream-TLS:"on"': [...OK, "Auth-Upstream-TLS: on"],
  'sent invalid Auth-Upstream-Name:"a b"': [...OK, "Auth-Upstream-Name: a b"],
  "sent control characters": [...OK, "Auth-Pass: a\0b"],
};
for (const [why, lines] of Object.entries(UNAVAILABLE)) {
  test(`"${why}" is no answer, and no refusal`, () => {
    assert.equal(answer(...lines), `unavailable "null" null: ${why}`);
  });
}

test("a server may go by its name, bring others along, and say how it speaks TLS", () => {
  const lines = [
    "HTTP/1.1 200 OK",
    "Auth-Status: OK",
    "Auth-Server: mail-1.example.",
    "Auth-Port: 993",
    "Auth-Fallback: mail_2.example:993, 192.0.2.3:1993,[2001:db8::4]:993",
    "Auth-Upstream-TLS: tls",
    "Auth-Upstream-Name: mail.example",
  ];
  const head = read([`${lines.join("\r\n")}\r\n\r\n`]);
  assert.ok(head?.reply.kind === "route");
  assert.deepEqual(head.reply.route, {
    servers: [
      { host: "mail-1.example.", port: 993 },
      { host: "mail_2.example", port: 993 },
      { host: "192.0.2.3", port: 1993 },
      { host: "2001:db8::4", port: 993 },
    ],
    tls: "tls",
    tlsName: "mail.example",
  });
});

test("a small ok is no yes", () => {
  assert.doesNotMatch(
    answer(...OK.map((line) => line.replace("Status: OK", "Status: ok"))),
    /^route/,
  );
});

test("cannot tell may come with words for the client", () => {
  const told503 = answer(
    "HTTP/1.1 503 x",
    "Auth-Status: [UNAVAILABLE] later",
    "Auth-Error-Code: 451 4.3.0",
  );
  assert.match(told503, /^unavailable "\[UNAVAILABLE\] later" 451 4\.3\.0: answered 503/);
});

for (const text of [
  "HTTP/1.1 OK\r\n\r\n",
  "HTTP/x 200 OK\r\n\r\n",
  "<html>\r\n\r\n",
  "\r\n\r\n",
  "HTTP/1.1 200 OK\r\nAuth Status: OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n",
  "HTTP/1.1 200 OK\r\nA: 1\rB: 2\r\n\r\n",
  "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
]) {
  test(`${JSON.stringify(text)} is no reply`, () => {
    assert.throws(() => read([text]), InvalidReply);
  });
}

test("16 KiB are enough, and one byte more is too much", () => {
  const [start, end] = ["HTTP/1.1 200 OK\r\nX: ", "\r\n\r\n"];
  const padded = (length: number): string =>
    `${start}${"x".repeat(length - start.length - end.length)}${end}`;
  assert.ok(read([padded(16_384)]));
  assert.throws(() => read([padded(16_385)]), TooLong);
  assert.throws(
    () => read(["HTTP/1.1 200 OK\r\n", ..."A: b\r\n".repeat(4000).split(/(?<=\n)/)]),
    TooLong,
  );
  assert.throws(() => read(["x".repeat(16_384)]), TooLong);
});

const KEPT: [lines: string[], keepAlive: boolean, body: number | null][] = [
  [["HTTP/1.1 200 OK", "Content-Length: 12"], true, 12],
  [["HTTP/1.1 204 OK"], true, 0],
  [["HTTP/1.1 200 OK"], true, null],
  [["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Length: 3"], true, null],
  [["HTTP/1.1 200 OK", "Connection: Close", "Content-Length: 0"], false, 0],
  [["HTTP/1.0 200 OK", "Content-Length: 0"], false, 0],
  [["HTTP/1.0 200 OK", "Connection: Keep-Alive", "Content-Length: 0"], true, 0],
  [["X: y"], false, null],
];
for (const [lines, keepAlive, body] of KEPT) {
  test(`${lines.join(", ")}: the connection ${keepAlive && body !== null ? "may serve again" : "may not serve again"}`, () => {
    const head = read([`${lines.join("\r\n")}\r\n\r\n`]);
    assert.equal(head?.keepAlive, keepAlive);
    assert.equal(head?.body, body);
  });
}

test("blanks inside a header cost no more than other bytes", () => {
  const header = (filling: string): number =>
    cost(() => void read([`HTTP/1.1 200 OK\r\nX: a${filling.repeat(16_000)}b\r\n\r\n`]), 5);
  const ordinary = header("x");
  for (const blank of [" ", "\t"]) {
    assert.ok(header(blank) < 2 + ordinary * 50, `${header(blank)} ms, not ${ordinary} ms`);
  }
});

test("any bytes are an answer, a wish for more, or an error of their own", () => {
  const line = fc.oneof(
    fc.constantFrom(...OK, "Auth-Status: no", "", "Auth-Wait: 1"),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom("\r\n", "\n"), (some, end) => {
      try {
        read(some.map((text) => `${text}${end}`));
      } catch (error) {
        assert.ok(error instanceof InvalidReply || error instanceof TooLong, String(error));
      }
    }),
    { numRuns: 300 },
  );
});
