import assert from "node:assert/strict";
import { test } from "node:test";
import { Input } from "../../../../proxy/transport/index.ts";
import { notes, clearClient, tlsClient, inShort } from "../../../support/proxy/protocol-client.ts";

const INVALID = "500 5.5.1 Invalid command";
const ARGUMENT = "501 5.5.4 Invalid argument";

test("the greeting names the server", () => {
  assert.equal(clearClient("smtp").handler.greeting(), "220 mx.example.test ESMTP ready\r\n");
});

const ANSWERS: Record<string, string> = {
  "HELO laptop": "250 mx.example.test",
  "helo laptop": "250 mx.example.test",
  "EHLO laptop": "250-mx.example.test\r\n250 AUTH PLAIN LOGIN",
  HELO: ARGUMENT,
  EHLO: ARGUMENT,
  "EHLO two words": ARGUMENT,
  "EHLO a\0b": ARGUMENT,
  AUTH: ARGUMENT,
  "MAIL FROM:<a@b>": "530 5.7.1 Authentication required",
  "RCPT TO:<a@b>": "503 5.5.1 Bad sequence of commands",
  RSET: "250 2.0.0 OK",
  NOOP: "250 2.0.0 OK",
  "NOOP word": "250 2.0.0 OK",
  QUIT: "221 2.0.0 Bye <close>",
  STARTTLS: INVALID,
  "VRFY anna": INVALID,
  "EXPN list": INVALID,
  HELP: INVALID,
  DATA: INVALID,
  "BDAT 0 LAST": `${INVALID} <close>`,
  "XCLIENT ADDR=127.0.0.1": INVALID,
  "": INVALID,
  " NOOP": INVALID,
  "NO\rOP": INVALID,
  "NOOP 1 2 3 4 5 6 7 8 9 10 11": "250 2.0.0 OK",
  "NOOP 1 2 3 4 5 6 7 8 9 10 11 12": INVALID,
};
for (const [line, answer] of Object.entries(ANSWERS)) {
  test(`${JSON.stringify(line)} is answered as nginx answers it`, () => {
    assert.equal(clearClient("smtp").say(line), answer);
  });
}

const EXTENSIONS = {
  off: ["AUTH PLAIN LOGIN"],
  on: ["AUTH PLAIN LOGIN", "STARTTLS"],
  only: ["STARTTLS"],
} as const;
for (const starttls of ["off", "on", "only"] as const) {
  const changes = { starttls, smtp_capabilities: ["SIZE 1000", "PIPELINING"] };
  const list = (words: readonly string[]): string => {
    const lines = ["mx.example.test", "SIZE 1000", "PIPELINING", ...words];
    return lines.map((line, at) => `250${at === lines.length - 1 ? " " : "-"}${line}`).join("\r\n");
  };

  test(`EHLO in the clear, starttls ${starttls}`, () => {
    assert.equal(clearClient("smtp", changes).say("EHLO laptop"), list(EXTENSIONS[starttls]));
  });

  test(`EHLO under TLS, starttls ${starttls}, offers mechanisms only`, () => {
    assert.equal(tlsClient("smtp", changes).say("EHLO laptop"), list(EXTENSIONS.off));
  });
}

test("the reply to EHLO is one line where there are no extensions", () => {
  assert.equal(
    clearClient("smtp", { smtp_auth: ["none"] }).say("EHLO laptop"),
    "250 mx.example.test",
  );
});

test("STARTTLS is accepted once, where it is offered", () => {
  const client = clearClient("smtp", { starttls: "on" });
  assert.equal(client.say("starttls"), "220 2.0.0 Start TLS <tls>");
  client.secure();
  assert.equal(client.say("STARTTLS"), INVALID);
});

test("where TLS is required, neither logins nor mail are accepted in the clear", () => {
  const client = clearClient("smtp", { starttls: "only", smtp_auth: ["plain", "none"] });
  assert.equal(client.say("AUTH PLAIN AGEAYg=="), INVALID);
  for (const line of ["MAIL FROM:<a@b>", "MAIL", "RCPT TO:<b@c>", "RCPT"]) {
    assert.equal(client.say(line), "530 5.7.0 Must issue a STARTTLS command first");
  }
  client.say("STARTTLS");
  client.secure();
  assert.equal(client.say("AUTH PLAIN AGEAYg=="), "<plain|a|b>");
});

test("AUTH needs no EHLO", () => {
  assert.equal(clearClient("smtp").say("AUTH PLAIN AGEAYg=="), "<plain|a|b>");
});

test("a line may fill the client buffer, CRLF included, but not exceed it", () => {
  const line = (length: number): string => `NOOP ${"x".repeat(length - 7)}\r\n`;
  assert.deepEqual(clearClient("smtp").send(line(4096)).map(inShort), ["250 2.0.0 OK"]);
  assert.deepEqual(clearClient("smtp").send(line(4097)).map(inShort), [`${INVALID} <close>`]);
  assert.deepEqual(clearClient("smtp", { smtp_client_buffer: 100 }).send(line(101)).map(inShort), [
    `${INVALID} <close>`,
  ]);
});

test("an initial response may be 12 KiB long", () => {
  const secret = "x".repeat(9000);
  const line = `AUTH PLAIN ${btoa(`\0anna\0${secret}`)}\r\n`;
  assert.deepEqual(clearClient("smtp").send(line).map(inShort), [`<plain|anna|${secret}>`]);
});

test("max_errors counts only lines that are not commands", () => {
  const client = clearClient("smtp", { max_errors: 2 });
  for (const line of ["VRFY a", "HELP", "EHLO", "AUTH", "AUTH X", "MAIL", "RCPT", "STARTTLS"]) {
    for (let time = 0; time < 5; time++) assert.doesNotMatch(client.say(line), /close/);
  }
  assert.equal(client.say("DATA"), INVALID);
  assert.equal(client.say("DATA"), `${INVALID} <close>`);
});

test("refusals carry the lookup's code, or nginx's own; failures are temporary", () => {
  const { handler } = clearClient("smtp");
  assert.equal(handler.refused("no", "550 5.7.1"), "550 5.7.1 no\r\n");
  assert.equal(handler.refused("no", null), "535 5.7.0 no\r\n");
  assert.match(handler.unavailable(), /^4\d\d 4\.\d\.\d .*\r\n$/);
  assert.match(handler.shuttingDown(), /^421 4\.3\.2 .*\r\n$/);
});

test("with `none` a recipient is looked up with its MAIL and RCPT commands, unchanged", () => {
  const client = clearClient("smtp", { smtp_auth: ["none"] });
  client.say("EHLO laptop");
  assert.equal(client.say("rcpt to:<b@c>"), "503 5.5.1 Bad sequence of commands");
  assert.equal(client.say("MAIL"), ARGUMENT);
  assert.equal(client.say("mail  FROM:<a@b>  SIZE=1  "), "250 2.0.0 OK");
  assert.equal(client.say("MAIL FROM:<x@y>"), "503 5.5.1 Bad sequence of commands");
  assert.equal(client.say("RCPT"), ARGUMENT);
  assert.equal(
    client.say("Rcpt TO:<b@c> "),
    "<none|laptop|mail  FROM:<a@b>  SIZE=1|Rcpt TO:<b@c>>",
  );
  client.say("RSET");
  assert.equal(client.say("RCPT TO:<b@c>"), "503 5.5.1 Bad sequence of commands");
});

test("a recipient in UTF-8 keeps all its bytes", () => {
  const client = clearClient("smtp", { smtp_auth: ["none"] });
  client.say("MAIL FROM:<a@b>");
  // à ends with 0xA0, which JavaScript takes for a space.
  assert.equal(client.say("RCPT TO:andr\xc3\xa0"), "<none||MAIL FROM:<a@b>|RCPT TO:andr\xc3\xa0>");
});

test("TABs at the end of MAIL and RCPT are kept, spaces are not", () => {
  const client = clearClient("smtp", { smtp_auth: ["none"] });
  client.say("MAIL FROM:<a@b>\t  ");
  assert.equal(client.say("RCPT TO:<b@c>  \t"), "<none||MAIL FROM:<a@b>\t|RCPT TO:<b@c>  \t>");
});

test("an empty refusal, which nginx takes for success, is a temporary failure", () => {
  assert.match(clearClient("smtp").handler.refused("", null), /^4\d\d 4/);
});

test("the log shows a refused MAIL with its line end, as nginx does", () => {
  const steps = clearClient("smtp").send("MAIL FROM:<a@b>  \r\n");
  assert.deepEqual(notes(steps), ['client was rejected: "MAIL FROM:<a@b>  __"']);
});

const EARLY_TALKERS: Record<string, string> = {
  "EHLO laptop\r\nAUTH PLAIN AGEAYg==\r\n": "EHLO laptop__",
  "helo x\n": "helo x_",
  EHL: "",
  "AUTH PLAIN AGEAYg==\r\n": "AUTH",
  "AGEAYg==\r\n": "",
};
for (const [said, shown] of Object.entries(EARLY_TALKERS)) {
  test(`the log shows ${JSON.stringify(shown)} of a client that sends ${JSON.stringify(said)} before the greeting`, () => {
    const input = new Input();
    input.append(Buffer.from(said));
    const { text, note } = clearClient("smtp").handler.earlyTalker(input);
    assert.equal(text, "503 5.5.0 Improper use of SMTP command pipelining\r\n");
    assert.equal(note, `client was rejected before greeting: "${shown}"`);
  });
}

test("the log names a command that is too long, but nothing that may be a password", () => {
  const long = "x".repeat(5000);
  assert.deepEqual(notes(clearClient("smtp").send(`EHLO ${long}`)), [
    'client sent too long command "EHLO"',
  ]);
  assert.deepEqual(notes(clearClient("smtp").send(long)), ['client sent too long command ""']);
  assert.deepEqual(notes(clearClient("imap").send(`a login ${long}`)), [
    'client sent too long command "login"',
  ]);
  assert.deepEqual(notes(clearClient("pop3").send(`PASS ${long}`)), [
    'client sent too long command "PASS"',
  ]);
  const answering = clearClient("smtp");
  answering.say("AUTH PLAIN");
  assert.deepEqual(notes(answering.send(`PASS ${"x".repeat(13_000)}`)), [
    'client sent too long command ""',
  ]);
});
