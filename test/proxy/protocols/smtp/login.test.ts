import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ProtocolClient, clearClient } from "../../../support/proxy/protocol-client.ts";
import { logIn } from "../../../support/proxy/login-script.ts";

const AUTH = `AUTH PLAIN ${btoa("\0anna\0secret")}`;

/** The commands for the upstream, by settings and by the EHLO or HELO of the client. */
const ORDERS: readonly [xclient: boolean, auth: boolean, hello: string | null, string[]][] = [
  [
    true,
    true,
    "EHLO",
    ["EHLO mx.example.test", "XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]", "EHLO laptop", AUTH],
  ],
  [
    true,
    true,
    "HELO",
    ["EHLO mx.example.test", "XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]", "HELO laptop", AUTH],
  ],
  [true, true, null, ["EHLO mx.example.test", "XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]", AUTH]],
  [
    true,
    false,
    "EHLO",
    ["EHLO mx.example.test", "XCLIENT ADDR=192.0.2.9 LOGIN=anna NAME=[UNAVAILABLE]", "EHLO laptop"],
  ],
  [
    true,
    false,
    "HELO",
    ["EHLO mx.example.test", "XCLIENT ADDR=192.0.2.9 LOGIN=anna NAME=[UNAVAILABLE]", "HELO laptop"],
  ],
  [
    true,
    false,
    null,
    ["EHLO mx.example.test", "XCLIENT ADDR=192.0.2.9 LOGIN=anna NAME=[UNAVAILABLE]"],
  ],
  [false, true, "EHLO", ["EHLO mx.example.test", AUTH]],
  [false, true, "HELO", ["HELO mx.example.test", AUTH]],
  [false, true, null, ["HELO mx.example.test", AUTH]],
  [false, false, "EHLO", ["EHLO mx.example.test"]],
  [false, false, "HELO", ["HELO mx.example.test"]],
  [false, false, null, ["HELO mx.example.test"]],
];

/** The reply that accepts a command. */
function acceptance(command: string): string {
  return command.startsWith("AUTH")
    ? "235 2.7.0 ok"
    : command.startsWith("XCLIENT")
      ? "220 ok"
      : "250 ok";
}

function introduced(hello: string | null, xclient: boolean, auth: boolean): ProtocolClient {
  const client = clearClient("smtp", { xclient, proxy_smtp_auth: auth });
  if (hello !== null) client.say(`${hello} laptop`);
  client.say("AUTH PLAIN AGFubmEAc2VjcmV0");
  return client;
}

for (const [xclient, auth, hello, commands] of ORDERS) {
  const flags = `xclient ${xclient ? "on" : "off"}, proxy_smtp_auth ${auth ? "on" : "off"}`;
  test(`${flags}, the client ${hello === null ? "sent no EHLO" : `sent ${hello}`}`, () => {
    const answers = ["220 ready", ...commands.map(acceptance)];
    const { sent, end } = logIn(introduced(hello, xclient, auth), answers);
    assert.deepEqual(
      sent,
      commands.map((command) => `${command}\r\n`),
    );
    assert.deepEqual(end, { kind: "accepted", reply: "235 2.0.0 OK\r\n" });
  });

  for (const at of [0, ...commands.keys()].map((_, index) => index)) {
    test(`${flags}, ${hello}: a refusal of line ${at} is passed on`, () => {
      const answers = ["220 ready", ...commands.map(acceptance)].slice(0, at);
      const { end } = logIn(introduced(hello, xclient, auth), [...answers, "550-no", "550 never"]);
      const kind = at === 0 ? "unready" : "refused";
      assert.deepEqual(end, { kind, reply: "550-no\r\n550 never\r\n" });
    });
  }
}

describe("replies of several lines", () => {
  test("are read to the end", () => {
    const greeting = ["220-mx", "220-welcome", "220 ready"];
    const { sent } = logIn(introduced("EHLO", false, true), [
      ...greeting,
      "250-mx",
      "250-AUTH PLAIN",
      "250 SIZE",
      "235 ok",
    ]);
    assert.deepEqual(sent, ["EHLO mx.example.test\r\n", `${AUTH}\r\n`]);
  });

  test("are judged by their last line", () => {
    const { end } = logIn(introduced("EHLO", false, false), ["220-mx", "554 no service"]);
    assert.deepEqual(end, { kind: "unready", reply: "220-mx\r\n554 no service\r\n" });
  });
});

test("XCLIENT escapes a login as xtext", () => {
  const account = { login: "an+na=x y\xe4\x7f", password: "" };
  const { sent } = logIn(introduced(null, true, false), ["220 ready", "250 ok"], account);
  assert.match(sent.at(-1) ?? "", / LOGIN=an\+2Bna\+3Dx\+20y\+E4\+7F NAME=/);
});

test("XCLIENT has no empty LOGIN, marks IPv6, and has the name", () => {
  const client = introduced(null, true, false);
  const named = { address: "2001:db8::1", host: "mx.example.test" };
  const { sent } = logIn(client, ["220 ready", "250 ok"], { login: "" }, "off", named);
  assert.equal(sent.at(-1), "XCLIENT ADDR=IPV6:2001:db8::1 NAME=mx.example.test\r\n");
});

test("the transaction of a client without a login is repeated, and the client is sent the upstream's reply", () => {
  const client = clearClient("smtp", { smtp_auth: ["none"], xclient: false });
  client.say("HELO laptop");
  client.say("MAIL FROM:<a@b>");
  client.say("RCPT TO:<b@c>");
  const none = { login: "", password: null };
  const { sent, end } = logIn(
    client,
    ["220 ready", "250 mx", "250 ok", "550-no", "550 such user"],
    none,
  );
  assert.deepEqual(sent, ["HELO mx.example.test\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<b@c>\r\n"]);
  assert.deepEqual(end, { kind: "accepted", reply: "550-no\r\n550 such user\r\n" });
});

describe("without xclient the upstream gets the verb that the client used last,", () => {
  const greeted = (...said: readonly string[]): string | undefined => {
    const client = clearClient("smtp", { xclient: false, starttls: "on" });
    for (const line of said) {
      if (line === "STARTTLS") client.secure();
      else client.say(line);
    }
    return logIn(client, ["220 ready"]).sent[0];
  };
  const HELLOS: readonly [said: readonly string[], verb: string][] = [
    [["EHLO a", "HELO b"], "HELO"],
    [["HELO a", "EHLO b"], "EHLO"],
    [["EHLO a", "EHLO"], "EHLO"],
    [["EHLO a", "STARTTLS"], "EHLO"],
    [["EHLO a", "STARTTLS", "HELO b"], "HELO"],
    [[], "HELO"],
  ];
  for (const [said, verb] of HELLOS) {
    test(`${verb} after ${said.join(", ") || "nothing"}`, () => {
      assert.equal(greeted(...said), `${verb} mx.example.test\r\n`);
    });
  }
});

test("without a password nothing is sent after XCLIENT", () => {
  const external = { login: "anna", password: null };
  const answers = ["220 ready", "250 ok", "250 ok", "250 ok"];
  const { sent, end } = logIn(introduced("EHLO", true, true), answers, external);
  assert.equal(sent.at(-1), "EHLO laptop\r\n");
  assert.deepEqual(end, { kind: "impossible", name: "AUTH", reason: "no password available" });
});

test("XCLIENT is sent even where it is not announced, and the log has a note", () => {
  const noted = (...lines: readonly string[]): string | undefined => {
    const { sent, notes } = logIn(introduced(null, true, false), ["220 ready", ...lines]);
    assert.match(sent.at(-1) ?? "", /^XCLIENT /);
    return notes.at(-1);
  };
  assert.equal(noted("250-mx", "250 SIZE"), "upstream does not announce XCLIENT");
  assert.equal(noted("250-mx", "250 XCLIENT NAME ADDR"), undefined);
  assert.equal(noted("250-xclient", "250 SIZE"), undefined);
});
