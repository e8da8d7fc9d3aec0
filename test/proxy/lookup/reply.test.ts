import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cost } from "../../support/programs/cost.ts";
import { HeadReader, InvalidReply, type ReplyHead } from "../../../proxy/lookup/reply.ts";
import { Input, TooLong } from "../../../proxy/transport/index.ts";
import { inputs } from "../../support/property.ts";

/** Reads a reply that arrives in pieces; null before the end of its head. */
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

/** Describes the answer of a reply with the lines. */
function answer(...lines: readonly string[]): string {
  const head = read([`${lines.join("\r\n")}\r\n\r\n`]);
  assert.ok(head);
  return describeReply(head);
}

function describeReply({ reply }: ReplyHead): string {
  switch (reply.kind) {
    case "route": {
      const { host, port } = reply.route.servers[0];
      return `route ${host} ${port} ${reply.login} ${reply.password}`;
    }
    case "refused":
      return `refused "${reply.text}" ${reply.errorCode} ${reply.wait}`;
    case "wait":
      return `wait ${reply.wait}`;
    case "unavailable":
      return `unavailable "${reply.text}" ${reply.errorCode}: ${reply.why}`;
  }
}

const OK = ["HTTP/1.1 200 OK", "Auth-Status: OK", "Auth-Server: 192.0.2.1", "Auth-Port: 143"];
const ROUTE = "route 192.0.2.1 143 null null";

test("a reply with Auth-Status: OK and a server is a route", () => {
  assert.equal(answer(...OK), ROUTE);
  assert.equal(
    answer(...OK, "Auth-User: Anna %20", "Auth-Pass: x y"),
    "route 192.0.2.1 143 Anna %20 x y",
  );
  assert.equal(answer("HTTP/1.1 204 No", ...OK.slice(1)), ROUTE);
});

const FORMS: Record<string, string> = {
  "with LF for CRLF": `${OK.join("\n")}\n\n`,
  "without a status line": `${OK.slice(1).join("\r\n")}\r\n\r\n`,
  "with HTTP/1.0": [...OK, "", ""].join("\r\n").replace("1.1", "1.0"),
  "with a status line without a reason phrase": [...OK, "", ""].join("\r\n").replace(" OK", ""),
  "with header names in another case": [...OK, "", ""]
    .join("\r\n")
    .replace("Auth-Server", "AUTH-server"),
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
for (const [form, text] of Object.entries(FORMS)) {
  test(`a reply ${form} is a route`, () => {
    const head = read([text]);
    assert.equal(head && describeReply(head), ROUTE);
  });

  test(`a reply ${form} is a route, also byte by byte`, () => {
    const head = read(text.split(""));
    assert.equal(head && describeReply(head), ROUTE);
  });
}

test("a reply without its empty line gives no answer yet", () => {
  assert.equal(read([`${OK.join("\r\n")}\r\n`]), null);
  assert.equal(read([`${OK.join("\r\n")}\r\n\r`]), null);
});

describe("a repeated header", () => {
  test("the last Auth-Port and the last Auth-Server count", () => {
    assert.equal(answer(...OK, "Auth-Port: 1143", "auth-server: ::1"), "route ::1 1143 null null");
  });

  test("a refusal by one Auth-Status wins over an OK by another Auth-Status", () => {
    const refused = ["HTTP/1.1 200 OK", "Auth-Status: no", ...OK.slice(1)];
    assert.equal(answer(...refused), 'refused "no" null 0');
    assert.equal(answer(...OK, "Auth-Status: no"), 'refused "no" null 0');
  });

  test("an empty Auth-Status next to an OK gives no route", () => {
    assert.doesNotMatch(answer("HTTP/1.1 200 OK", "Auth-Status:", ...OK.slice(1)), /^route/);
    assert.doesNotMatch(answer(...OK, "Auth-Status:"), /^route/);
  });

  test("an empty Auth-Status is a refusal without text in a 2xx reply, and unavailable in any other", () => {
    assert.equal(answer("HTTP/1.1 200 OK", "Auth-Status:", "Auth-Wait: 1"), 'refused "" null 1');
    assert.match(answer("HTTP/1.1 404 Where", "Auth-Status:"), /^unavailable .*answered 404$/);
  });

  test("the last of several refusals counts", () => {
    const lines = ["HTTP/1.1 200 OK", "Auth-Status: no", "Auth-Status: not now"];
    assert.equal(answer(...lines, "Auth-Status: OK"), 'refused "not now" null 0');
  });

  test("a bare CR makes the status line invalid", () => {
    assert.throws(
      () => read(["HTTP/1.0 200 OK\rAuth-Status: OK\r\n\r\n"]),
      new InvalidReply("sent invalid response"),
    );
  });

  test("a refusal behind an empty Auth-Status counts", () => {
    assert.equal(
      answer("HTTP/1.1 200 OK", "Auth-Status:", "Auth-Status: no"),
      'refused "no" null 0',
    );
  });
});

test("a refusal has the endpoint's text byte for byte, and the endpoint's code and wait", () => {
  const refusalText = "[AUTH] Falsches Kennwort f\xc3\xbcr dich";
  assert.equal(
    answer("HTTP/1.1 200 OK", `Auth-Status: ${refusalText}`),
    `refused "${refusalText}" null 0`,
  );
  const more = ["Auth-Error-Code: 535 5.7.8", "Auth-Wait: 3"];
  assert.equal(answer("HTTP/1.1 200 OK", "Auth-Status: no", ...more), 'refused "no" 535 5.7.8 3');
});

test("an Auth-Wait that is not a valid number counts as 0", () => {
  for (const wait of ["x", "-1", "1.5", "1s", "", "9".repeat(30)]) {
    assert.equal(
      answer("HTTP/1.1 200 OK", "Auth-Status: no", `Auth-Wait: ${wait}`),
      'refused "no" null 0',
    );
  }
});

test("Auth-Status: WAIT asks for the same lookup after Auth-Wait", () => {
  assert.equal(answer("HTTP/1.1 200 OK", "Auth-Status: WAIT", "Auth-Wait: 2"), "wait 2");
  assert.equal(answer("HTTP/1.1 200 OK", "Auth-Status: WAIT", ...OK.slice(1)), "wait 0");
  assert.equal(
    answer("HTTP/1.1 200 OK", "Auth-Status: WAIT", "Auth-Status: no"),
    'refused "no" null 0',
  );
});

const UNAVAILABLE: Record<string, string[]> = {
  'answered 403 (check the key in "auth_http_header")': ["HTTP/1.1 403 Forbidden"],
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
for (const [reason, lines] of Object.entries(UNAVAILABLE)) {
  test(`a faulty reply is unavailable, and not a refusal: ${reason}`, () => {
    assert.equal(answer(...lines), `unavailable "null" null: ${reason}`);
  });
}

const OUTAGES: readonly (readonly [outage: boolean, ...lines: string[]])[] = [
  [true, "HTTP/1.1 500 Oops"],
  [true, "HTTP/1.1 503 Busy", "Auth-Server: 192.0.2.1", "Cache-Control: max-age=60"],
  [true, "HTTP/1.1 200 OK", "Content-Type: text/html"],
  [false, "HTTP/1.1 503 Busy", "Auth-Status: [UNAVAILABLE] busy"],
  [false, "HTTP/1.1 503 Busy", "Auth-Status: OK"],
  [false, "HTTP/1.1 503 Busy", "Auth-Status:"],
  [false, "HTTP/1.1 503 Busy", "Auth-Status: WAIT"],
  [false, "HTTP/1.1 200 OK", "Auth-Status: OK"],
  [false, ...OK, "Auth-Server: ma il"],
  [false, ...OK, "Auth-Pass: a\0b"],
  [false, "HTTP/1.1 400 Bad Request"],
  [false, "HTTP/1.1 403 Forbidden"],
  [false, "HTTP/1.1 429 Too Many Requests"],
  [false, "HTTP/1.1 302 Found"],
];
for (const [outage, ...lines] of OUTAGES) {
  test(`a reply is ${outage ? "an outage" : "the endpoint's word"}: ${lines.join(", ")}`, () => {
    const reply = read([`${lines.join("\r\n")}\r\n\r\n`])?.reply;
    assert.ok(reply?.kind === "unavailable");
    assert.equal(reply.outage, outage);
  });
}

test("a broken percent-escape in a yes is the endpoint's word, and no yes", () => {
  const input = new Input();
  input.append(Buffer.from([...OK, "Auth-User: a%2", "", ""].join("\r\n")));
  const reply = new HeadReader(true).next(input)?.reply;
  assert.ok(reply?.kind === "unavailable" && !reply.outage);
  assert.equal(reply.why, "sent a broken percent-escape");
});

describe("the user of a route", () => {
  const ID = "Auth-User-Id: AAAAAAAAAAAAAAAAAAAAAA";
  const VERSION = "auth-user-version: 9007199254740991";

  test("is the id and the version of the reply, also byte by byte", () => {
    const text = [...OK, ID, VERSION, "", ""].join("\r\n");
    const user = { id: "AAAAAAAAAAAAAAAAAAAAAA", version: 9_007_199_254_740_991 };
    for (const head of [read([text]), read(text.split(""))]) {
      assert.ok(head?.reply.kind === "route");
      assert.deepEqual(head.reply.user, user);
    }
  });

  for (const lines of [[], [ID], [VERSION], [ID, "Auth-User-Version: 0"], [`${ID}A`, VERSION]]) {
    test(`is none with ${lines.join(", ") || "no header"}`, () => {
      const head = read([[...OK, ...lines, "", ""].join("\r\n")]);
      assert.ok(head?.reply.kind === "route");
      assert.equal(head.reply.user, null);
    });
  }
});

test("a route holds host names, the fallback servers and the TLS headers", () => {
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

test("Auth-Status: ok in lower case gives no route", () => {
  assert.doesNotMatch(
    answer(...OK.map((line) => line.replace("Status: OK", "Status: ok"))),
    /^route/,
  );
});

test("a 503 reply may carry a text and a code for the client", () => {
  const unavailable = answer(
    "HTTP/1.1 503 x",
    "Auth-Status: [UNAVAILABLE] later",
    "Auth-Error-Code: 451 4.3.0",
  );
  assert.match(unavailable, /^unavailable "\[UNAVAILABLE\] later" 451 4\.3\.0: answered 503/);
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
  test(`${JSON.stringify(text)} is an invalid reply`, () => {
    assert.throws(() => read([text]), InvalidReply);
  });
}

test("a head of 16 KiB is accepted, and a head of one byte more is too long", () => {
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

const KEEP_ALIVE: [lines: string[], keepAlive: boolean, body: number | null][] = [
  [["HTTP/1.1 200 OK", "Content-Length: 12"], true, 12],
  [["HTTP/1.1 204 OK"], true, 0],
  [["HTTP/1.1 200 OK"], true, null],
  [["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Length: 3"], true, null],
  [["HTTP/1.1 200 OK", "Connection: Close", "Content-Length: 0"], false, 0],
  [["HTTP/1.0 200 OK", "Content-Length: 0"], false, 0],
  [["HTTP/1.0 200 OK", "Connection: Keep-Alive", "Content-Length: 0"], true, 0],
  [["X: y"], false, null],
];
for (const [lines, keepAlive, body] of KEEP_ALIVE) {
  test(`a connection is ${keepAlive && body !== null ? "reusable" : "not reusable"} after the reply ${lines.join(", ")}`, () => {
    const head = read([`${lines.join("\r\n")}\r\n\r\n`]);
    assert.equal(head?.keepAlive, keepAlive);
    assert.equal(head?.body, body);
  });
}

test("blanks inside a header take no more time than other bytes", () => {
  const header = (filling: string): number =>
    cost(() => void read([`HTTP/1.1 200 OK\r\nX: a${filling.repeat(16_000)}b\r\n\r\n`]), 5);
  const ordinary = header("x");
  for (const blank of [" ", "\t"]) {
    assert.ok(header(blank) < 2 + ordinary * 50, `${header(blank)} ms, not ${ordinary} ms`);
  }
});

test("any bytes give an answer, an unfinished head, InvalidReply or TooLong", () => {
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
    inputs(3),
  );
});
