// proxy_client_id: the identity of the client in IMAP's ID and in XCLIENT.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClientInfo } from "../../../proxy/protocols/index.ts";
import type { ServerSettings } from "../../../proxy/config/index.ts";
import type { ProtocolName, TlsMode } from "../../../shared/lookup.ts";
import { clearClient } from "../../support/proxy/protocol-client.ts";
import { type Played, logIn } from "../../support/proxy/login-script.ts";

interface Case {
  readonly said?: readonly string[];
  readonly client?: Partial<ClientInfo>;
  readonly settings?: Partial<ServerSettings>;
  readonly tls?: TlsMode;
}

function loginOf(
  protocol: ProtocolName,
  lines: readonly string[],
  { said = [], client = {}, settings = {}, tls = "off" }: Case = {},
): Played {
  const talking = clearClient(protocol, {
    proxy_client_id: true,
    proxy_smtp_auth: true,
    ...settings,
  });
  for (const line of said) talking.say(line);
  if (protocol === "imap") talking.say("a LOGIN anna secret");
  return logIn(talking, lines, {}, tls, client);
}

const six: Partial<ClientInfo> = {
  address: "2001:db8::9",
  local: { host: "2001:db8::1", port: 993 },
};
const mapped: Partial<ClientInfo> = {
  address: "::ffff:192.0.2.9",
  local: { host: "::ffff:192.0.2.1", port: 143 },
};
const unix: Partial<ClientInfo> = { address: "unix:", port: 0, local: { host: "", port: 0 } };

describe("IMAP's ID", () => {
  const greeting = "* OK [CAPABILITY IMAP4rev1 ID LITERAL+] hi";
  const done = ['* ID ("name" "x")', "postern OK done"];
  const id = (from: string): string =>
    `postern ID ("x-session-id" "f00" ${from}"x-proxy-ttl" "4")\r\n`;
  const FOUR =
    '"x-originating-ip" "192.0.2.9" "x-originating-port" "51234" "x-connected-ip" "192.0.2.1" "x-connected-port" "143" ';

  test("carries Dovecot's fields before the login", () => {
    const { sent } = loginOf("imap", [greeting, ...done]);
    assert.deepEqual(sent, [id(FOUR), "a LOGIN {4+}\r\nanna {6+}\r\nsecret\r\n"]);
  });

  test("is sent under TLS", () => {
    const lines = [
      "* OK [CAPABILITY STARTTLS ID] hi",
      "postern OK go",
      "* CAPABILITY ID",
      "postern OK",
    ];
    const { sent } = loginOf("imap", lines, { tls: "starttls" });
    assert.deepEqual(sent.slice(1), ["<tls>", "postern CAPABILITY\r\n", id(FOUR)]);
  });

  test("carries IPv6 as it is, IPv4 in IPv6 as IPv4, and nothing for a unix socket", () => {
    const fields = FOUR.replace("192.0.2.9", "2001:db8::9").replace("192.0.2.1", "2001:db8::1");
    assert.equal(
      loginOf("imap", [greeting], { client: six }).sent[0],
      id(fields.replace("143", "993")),
    );
    assert.equal(loginOf("imap", [greeting], { client: mapped }).sent[0], id(FOUR));
    assert.equal(loginOf("imap", [greeting], { client: unix }).sent[0], id(""));
  });

  test("is sent only where it is offered, after CAPABILITY if the greeting has no capabilities", () => {
    const login = "a LOGIN {4}\r\n";
    assert.deepEqual(loginOf("imap", ["* OK [CAPABILITY IMAP4rev1 IDLE] ID"]).sent, [login]);
    const asked = loginOf("imap", ["* OK ID", "* CAPABILITY IMAP4rev1", "postern OK"]);
    assert.deepEqual(asked.sent, ["postern CAPABILITY\r\n", login]);
  });

  test("ends the login where it is refused", () => {
    assert.throws(() => loginOf("imap", [greeting, "postern BAD what"]), /refused ID command/);
  });
});

describe("POP3's XCLIENT", () => {
  const greeting = "+OK [XCLIENT] Dovecot ready.";
  const xclient = "XCLIENT ADDR=192.0.2.9 PORT=51234 SESSION=f00 TTL=4\r\n";

  test("carries Dovecot's attributes, without CAPA before it", () => {
    const { sent } = loginOf("pop3", [greeting, "+OK", "+OK"]);
    assert.deepEqual(sent, [xclient, "USER anna\r\n", "PASS secret\r\n"]);
  });

  test("is sent under TLS, though it was offered before: Dovecot offers it nowhere else", () => {
    const capa = ["+OK", "STLS", "USER", "."];
    const lines = [greeting, ...capa, "+OK go", ...capa];
    assert.deepEqual(loginOf("pop3", lines, { tls: "starttls" }).sent.slice(2), [
      "<tls>",
      "CAPA\r\n",
      xclient,
    ]);
  });

  test("carries IPv6 as it is, IPv4 in IPv6 as IPv4, and nothing for a unix socket", () => {
    const addressed = (client: Partial<ClientInfo>) =>
      loginOf("pop3", [greeting], { client }).sent[0];
    assert.equal(addressed(six), xclient.replace("192.0.2.9", "2001:db8::9"));
    assert.equal(addressed(mapped), xclient);
    assert.equal(addressed(unix), "XCLIENT SESSION=f00 TTL=4\r\n");
  });

  test("is sent only where it is offered", () => {
    for (const words of ["+OK ready", "+OK ready [XCLIENT]", "+OK XCLIENT"]) {
      assert.deepEqual(loginOf("pop3", [words]).sent, ["USER anna\r\n"]);
    }
  });

  test("ends the login where it is refused", () => {
    assert.throws(() => loginOf("pop3", [greeting, "-ERR no"]), /refused XCLIENT: "-ERR no"/);
  });
});

describe("SMTP's XCLIENT", () => {
  const EHLO = "EHLO mx.example.test\r\n";
  const ALL = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";
  const offering = (attributes: string): string[] => [
    "220 hi",
    "250-mx",
    `250 XCLIENT ${attributes}`,
  ];
  const said = ["EHLO laptop"];

  test("carries the attributes that Postfix announces, and the client's EHLO follows", () => {
    const lines = [...offering(ALL), "220 mx", "250-mx", "250 AUTH PLAIN"];
    assert.deepEqual(loginOf("smtp", lines, { said }).sent, [
      EHLO,
      "XCLIENT ADDR=192.0.2.9 PORT=51234 NAME=[UNAVAILABLE] HELO=laptop PROTO=ESMTP DESTADDR=192.0.2.1 DESTPORT=143\r\n",
      "EHLO laptop\r\n",
      `AUTH PLAIN ${btoa("\0anna\0secret")}\r\n`,
    ]);
  });

  test("carries the login without proxy_smtp_auth", () => {
    const settings = { proxy_smtp_auth: false };
    const { sent } = loginOf("smtp", offering("LOGIN"), { said, settings });
    assert.equal(sent[1], "XCLIENT LOGIN=anna\r\n");
  });

  test("carries session and hops for Dovecot", () => {
    assert.equal(loginOf("smtp", offering("SESSION TTL")).sent[1], "XCLIENT SESSION=f00 TTL=4\r\n");
  });

  test("marks IPv6, escapes the client's words, and says what is unavailable", () => {
    const xclient = (client: Partial<ClientInfo>, hello = "EHLO x") =>
      loginOf("smtp", offering("ADDR HELO PROTO DESTADDR DESTPORT"), { said: [hello], client })
        .sent[1];
    assert.equal(
      xclient(six, "HELO a+b=\xe4"),
      "XCLIENT ADDR=IPV6:2001:db8::9 HELO=a+2Bb+3D+E4 PROTO=SMTP DESTADDR=IPV6:2001:db8::1 DESTPORT=993\r\n",
    );
    assert.equal(
      xclient(mapped),
      "XCLIENT ADDR=192.0.2.9 HELO=x PROTO=ESMTP DESTADDR=192.0.2.1 DESTPORT=143\r\n",
    );
    assert.equal(xclient(unix), "XCLIENT ADDR=[UNAVAILABLE] HELO=x PROTO=ESMTP\r\n");
  });

  test("is followed by our own EHLO where the client sent none", () => {
    assert.deepEqual(loginOf("smtp", [...offering("ADDR"), "220 mx"]).sent.slice(2), [EHLO]);
  });

  test("is sent under TLS, if it is offered there", () => {
    const lines = [...offering("ADDR"), "220 go"];
    lines.splice(1, 0, "250-STARTTLS");
    const { sent } = loginOf("smtp", [...lines, "250-XCLIENT PORT", "250 AUTH PLAIN"], {
      tls: "starttls",
    });
    assert.deepEqual(sent.slice(1, -1), ["STARTTLS\r\n", "<tls>", EHLO]);
    assert.equal(sent.at(-1), "XCLIENT PORT=51234\r\n");
  });

  test("is sent only where it is offered, with xclient on and off", () => {
    for (const xclient of [true, false]) {
      const { sent } = loginOf("smtp", ["220 hi", "250-mx", "250 AUTH PLAIN"], {
        said,
        settings: { xclient },
      });
      assert.deepEqual(
        sent.map((line) => line.split(" ")[0]),
        ["EHLO", "AUTH"],
      );
    }
    const settings = { proxy_smtp_auth: false };
    assert.equal(loginOf("smtp", offering("FUTURE"), { settings }).sent.length, 1);
  });

  test("refused by the upstream is a refusal of the login", () => {
    const { end } = loginOf("smtp", [...offering("ADDR"), "550 no"]);
    assert.deepEqual(end, { kind: "refused", reply: "550 no\r\n" });
  });
});

describe("a client that is a proxy itself", () => {
  const on = { proxy_client_id: true };
  const TTL = '("x-session-id" "f00" "x-proxy-ttl" "3")';

  test("may send the number of hops by ID, with proxy_client_id", () => {
    const asked = clearClient("imap", on);
    assert.match(asked.say("a CAPABILITY"), / ID\b/);
    assert.equal(asked.say(`a ID ${TTL}`), "* ID NIL\r\na OK completed");
    assert.equal(asked.say("a ID NIL"), "* ID NIL\r\na OK completed");
    assert.equal(asked.say("a ID"), "a BAD invalid command");
    const other = clearClient("imap");
    assert.doesNotMatch(other.say("a CAPABILITY"), /\bID\b/);
    assert.equal(other.say(`a ID ${TTL}`), "a BAD invalid command");
  });

  test("sees ID once where imap_capabilities has it too", () => {
    const client = clearClient("imap", { ...on, imap_capabilities: ["IMAP4rev1", "ID"] });
    assert.equal(client.say("a CAPABILITY").match(/\bID\b/g)?.length, 1);
  });

  const id = (list: string) =>
    loginOf("imap", ["* OK [CAPABILITY ID] hi"], { said: [`a ID ${list}`] });
  for (const [list, hops] of [
    [TTL, 2],
    ['("x-proxy-ttl" "3")', 2],
    ['( "X-Proxy-TTL" "3" )', 2],
    ["(x-proxy-ttl 3)", 2],
    ['("x-proxy-ttl" "99")', 4],
    ['("x-proxy-ttl" "-3")', 4],
    ['("x-proxy-ttl" NIL)', 4],
    ['("x-proxy-ttl"', 4],
    ['("name" "x-proxy-tt")', 4],
    [`(${'"a" "b" '.repeat(28)}"x-proxy-ttl" "3")`, 2],
  ] as const) {
    test(`leaves ${hops} hops by ${list.slice(-30)}`, () => {
      assert.match(id(list).sent.at(-1) ?? "", new RegExp(`"x-proxy-ttl" "${hops}"`));
    });
  }

  test("without hops left gets no further", () => {
    const ends = [
      ...["1", "0"].map((hops) => {
        return loginOf("imap", [], { said: [`a ID ("x-proxy-ttl" "${hops}")`] });
      }),
      loginOf("pop3", [], { said: ["XCLIENT TTL=1"] }),
      loginOf("smtp", [], { said: ["XCLIENT TTL=1"] }),
    ];
    for (const { sent, end } of ends) {
      assert.deepEqual(sent, []);
      assert.match(end?.kind === "impossible" ? end.reason : "", /appear to be looping/);
    }
  });

  test("sees [XCLIENT] in POP3's greeting, and may send the number of hops by XCLIENT", () => {
    assert.equal(clearClient("pop3", on).handler.greeting(), "+OK [XCLIENT] POP3 ready\r\n");
    const client = clearClient("pop3", on);
    assert.equal(client.say("XCLIENT ADDR=192.0.2.1 PORT=5 SESSION=abc FORWARD=x TTL=3"), "+OK");
    assert.equal(clearClient("pop3").say("XCLIENT TTL=3"), "-ERR invalid command");
    const { sent } = loginOf("pop3", ["+OK [XCLIENT]"], { said: ["xclient ttl=3"] });
    assert.match(sent[0] ?? "", / TTL=2\r\n/);
  });

  test("sees XCLIENT TTL in SMTP, and begins anew after XCLIENT", () => {
    const client = clearClient("smtp", { ...on, smtp_auth: ["none"] });
    assert.match(client.say("EHLO laptop"), /^250.XCLIENT TTL$/m);
    client.say("MAIL FROM:<a@b>");
    assert.equal(client.say("XCLIENT TTL=3"), "220 mx.example.test ESMTP ready");
    assert.equal(client.say("RCPT TO:<a@b>"), "503 5.5.1 Bad sequence of commands");
    assert.equal(client.say("XCLIENT"), "501 5.5.4 Invalid argument");
    const other = clearClient("smtp");
    assert.doesNotMatch(other.say("EHLO laptop"), /XCLIENT/);
    assert.equal(other.say("XCLIENT TTL=3"), "500 5.5.1 Invalid command");
  });

  test("has what it sent in the clear forgotten under TLS", () => {
    const client = clearClient("pop3", on);
    client.say("XCLIENT TTL=1");
    client.secure();
    assert.match(logIn(client, ["+OK [XCLIENT]"]).sent[0] ?? "", / TTL=4\r\n/);
  });
});
