import assert from "node:assert/strict";
import { test } from "node:test";
import { clearClient, tlsClient, inShort } from "../../../support/proxy/protocol-client.ts";

const BAD = "-ERR invalid command";

test("the greeting is nginx's", () => {
  assert.equal(clearClient("pop3").handler.greeting(), "+OK POP3 ready\r\n");
});

const ANSWERS: Record<string, string> = {
  NOOP: "+OK",
  "noop with words": "+OK",
  QUIT: "+OK <close>",
  "USER anna": "+OK",
  USER: BAD,
  "USER ": BAD,
  PASS: BAD,
  "PASS secret": BAD,
  "APOP anna 0123": BAD,
  STLS: BAD,
  STAT: BAD,
  LIST: BAD,
  "": BAD,
  NOO: BAD,
  NOOPS: BAD,
  " NOOP": BAD,
  "NO\rOP": BAD,
  "NOOP a b c d": BAD,
  AUTH: "+OK methods supported:\r\nPLAIN\r\nLOGIN\r\n.",
  CAPA: "+OK Capability list follows\r\nTOP\r\nUSER\r\nUIDL\r\nSASL PLAIN LOGIN\r\n.",
};
for (const [line, answer] of Object.entries(ANSWERS)) {
  test(`${JSON.stringify(line)} is answered as nginx answers it`, () => {
    assert.equal(clearClient("pop3").say(line), answer);
  });
}

const LOGINS: Record<string, [user: string, pass: string, login: string]> = {
  "a plain one": ["USER anna", "PASS secret", "<plain|anna|secret>"],
  "one in small letters": ["user anna", "pass secret", "<plain|anna|secret>"],
  "one with spaces": ["USER  an na ", "PASS  se cret ", "<plain|an na |se cret >"],
  "8-bit bytes": ["USER \xe4nna", "PASS s\xff", "<plain|\xe4nna|s\xff>"],
};
for (const [name, [user, pass, login]] of Object.entries(LOGINS)) {
  test(`USER and PASS log in: ${name}`, () => {
    const client = clearClient("pop3");
    assert.equal(client.say(user), "+OK");
    assert.equal(client.say(pass), login);
  });
}

test("between USER and PASS only CAPA and NOOP keep the user", () => {
  for (const line of ["NOOP", "CAPA"]) {
    const client = clearClient("pop3");
    client.say("USER anna");
    assert.match(client.say(line), /^\+OK/);
    assert.equal(client.say("PASS secret"), "<plain|anna|secret>");
  }
  for (const line of ["USER bob", "PASS", "AUTH", "AUTH PLAIN", "APOP a b", "STLS", "STAT", "?"]) {
    const client = clearClient("pop3", { starttls: "on" });
    client.say("USER anna");
    assert.equal(client.say(line), BAD, line);
    assert.equal(client.say("PASS secret"), BAD, line);
  }
});

test("a NUL in the login or the password is refused", () => {
  for (const [user, pass] of [
    ["an\0na", "secret"],
    ["anna", "sec\0ret"],
  ] as const) {
    const client = clearClient("pop3");
    client.say(`USER ${user}`);
    assert.equal(client.say(`PASS ${pass}`), BAD);
  }
});

const LISTS = {
  off: ["USER", "SASL PLAIN LOGIN"],
  on: ["USER", "SASL PLAIN LOGIN", "STLS"],
  only: ["STLS"],
} as const;
for (const starttls of ["off", "on", "only"] as const) {
  const changes = { starttls, pop3_capabilities: ["TOP", "USER", "LOGIN-DELAY 900"] };
  const list = (words: readonly string[]): string => {
    const lines = ["TOP", ...words.filter((word) => word === "USER"), "LOGIN-DELAY 900"];
    const rest = words.filter((word) => word !== "USER");
    return ["+OK Capability list follows", ...lines, ...rest, "."].join("\r\n");
  };

  test(`the capabilities in the clear, starttls ${starttls}`, () => {
    assert.equal(clearClient("pop3", changes).say("CAPA"), list(LISTS[starttls]));
  });

  test(`the capabilities under TLS, starttls ${starttls}, list mechanisms only`, () => {
    assert.equal(tlsClient("pop3", changes).say("CAPA"), list(LISTS.off));
  });
}

test("STLS is accepted once, where it is offered, and forgets the user", () => {
  const client = clearClient("pop3", { starttls: "on" });
  assert.equal(client.say("stls"), "+OK <tls>");
  client.secure();
  assert.equal(client.say("STLS"), BAD);
  assert.equal(client.say("PASS secret"), BAD);
});

test("where TLS is required, no login is accepted in the clear", () => {
  const client = clearClient("pop3", { starttls: "only", pop3_auth: ["plain", "apop"] });
  for (const line of ["USER anna", "PASS secret", "AUTH", "AUTH PLAIN AGEAYg==", "APOP a b"]) {
    assert.equal(client.say(line), BAD);
  }
  client.say("STLS");
  client.secure();
  assert.equal(client.say("AUTH PLAIN AGEAYg=="), "<plain|a|b>");
});

test("with apop the greeting carries the salt", () => {
  const { handler } = clearClient("pop3", { pop3_auth: ["apop"] });
  const [, salt] =
    /^\+OK POP3 ready (<\d+\.\d+@mx\.example\.test>)\r\n$/.exec(handler.greeting()) ?? [];
  const client = clearClient("pop3", { pop3_auth: ["plain", "apop"] });
  assert.ok(salt);
  assert.equal(client.say("APOP anna 0123"), "<apop|anna|0123>");
  assert.equal(client.say("APOP anna"), BAD);
  assert.equal(client.say("APOP anna 0123 x"), BAD);
});

test("a line may be 512 bytes long, but not longer", () => {
  const line = (length: number): string => `USER ${"x".repeat(length - 7)}\r\n`;
  assert.deepEqual(clearClient("pop3").send(line(512)).map(inShort), ["+OK"]);
  assert.deepEqual(clearClient("pop3").send(line(513)).map(inShort), [`${BAD} <close>`]);
  assert.deepEqual(clearClient("pop3").send("x".repeat(512)).map(inShort), [`${BAD} <close>`]);
});

test("an initial response may be 12 KiB long", () => {
  const secret = "x".repeat(9000);
  const line = `AUTH PLAIN ${btoa(`\0anna\0${secret}`)}\r\n`;
  assert.deepEqual(clearClient("pop3").send(line).map(inShort), [`<plain|anna|${secret}>`]);
  assert.deepEqual(
    clearClient("pop3")
      .send(`AUTH PLAIN ${"A".repeat(12_288)}`)
      .map(inShort),
    [`${BAD} <close>`],
  );
});

test("max_errors counts only lines that are not commands", () => {
  const client = clearClient("pop3", { max_errors: 2 });
  for (const line of ["PASS x", "USER", "STLS", "AUTH X", "APOP a b"]) {
    for (let time = 0; time < 5; time++) assert.equal(client.say(line), BAD);
  }
  assert.equal(client.say("STAT"), BAD);
  assert.equal(client.say("NOOP a b c d"), `${BAD} <close>`);
});

test("refusals keep the lookup's words; failures are temporary", () => {
  const { handler } = clearClient("pop3");
  assert.equal(handler.refused("[AUTH] no", "535"), "-ERR [AUTH] no\r\n");
  assert.match(handler.unavailable(), /^-ERR \[SYS\/TEMP\] .*\r\n$/);
  assert.match(handler.shuttingDown(), /^-ERR .*\r\n$/);
});
