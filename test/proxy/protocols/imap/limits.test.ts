import assert from "node:assert/strict";
import { test } from "node:test";
import { clearClient, tlsClient, inShort } from "../../../support/proxy/protocol-client.ts";

const BUFFER = 4096;

test("a command may fill the client buffer, CRLF included, but not exceed it", () => {
  const line = (length: number): string => `a LOGIN anna ${"x".repeat(length - 15)}\r\n`;
  assert.match(clearClient("imap").send(line(BUFFER)).map(inShort).join(), /^<plain\|anna\|x+>$/);
  assert.deepEqual(
    clearClient("imap")
      .send(line(BUFFER + 1))
      .map(inShort),
    ["a BAD invalid command <close>"],
  );
});

test("a line without an end is refused as soon as the buffer is full", () => {
  const client = clearClient("imap");
  assert.deepEqual(client.send("x".repeat(BUFFER - 1)), []);
  assert.deepEqual(client.send("x").map(inShort), ["* BAD invalid command <close>"]);
});

test("literals count towards the size of the command", () => {
  const command = (length: number): string =>
    `a LOGIN anna {${length}+}\r\n${"x".repeat(length)}\r\n`;
  const overhead = command(1000).length - 1000;
  assert.match(
    clearClient("imap")
      .send(command(BUFFER - overhead))
      .map(inShort)
      .join(),
    /^<plain/,
  );
  assert.deepEqual(
    clearClient("imap")
      .send(command(BUFFER - overhead + 1))
      .map(inShort),
    ["a BAD invalid command <close>"],
  );
});

test("imap_client_buffer sets the limit", () => {
  const changes = { imap_client_buffer: 64 };
  assert.deepEqual(
    clearClient("imap", changes)
      .send(`a NOOP ${"x".repeat(100)}\r\n`)
      .map(inShort),
    ["a BAD invalid command <close>"],
  );
});

test("pipelined commands that together exceed the buffer are all answered", () => {
  const steps = clearClient("imap").send("a NOOP\r\n".repeat(900)).map(inShort);
  assert.equal(steps.length, 900);
  assert.ok(steps.every((step) => step === "a OK completed"));
});

test("an initial response may be 12 KiB long", () => {
  const response = btoa(`\0anna\0${"x".repeat(8000)}`);
  const expected = [`<plain|anna|${"x".repeat(8000)}>`];
  assert.deepEqual(
    clearClient("imap").send(`a AUTHENTICATE PLAIN ${response}\r\n`).map(inShort),
    expected,
  );
  const client = clearClient("imap");
  client.say("a AUTHENTICATE PLAIN");
  assert.deepEqual(client.send(`${response}\r\n`).map(inShort), expected);
});

test("an initial response as a literal leads to the same however it is split", () => {
  const response = btoa(`\0anna\0${"x".repeat(4494)}`);
  const command = `a AUTHENTICATE PLAIN {${response.length}+}\r\n${response}\r\nb NOOP\r\n`;
  const pieces = clearClient("imap");
  const cut = command.split("").flatMap((byte) => pieces.send(byte));
  assert.deepEqual(cut.map(inShort), clearClient("imap").send(command).map(inShort));
});

test("a SASL response beyond 12,288 bytes closes the session", () => {
  const client = clearClient("imap");
  client.say("a AUTHENTICATE PLAIN");
  assert.deepEqual(client.send("A".repeat(12_288)).map(inShort), ["a BAD invalid command <close>"]);
});

test("max_errors counts only lines that are not commands", () => {
  const client = clearClient("imap", { max_errors: 2, starttls: "off" });
  for (const line of [
    "a LOGIN anna",
    "a STARTTLS",
    "a AUTHENTICATE KERBEROS",
    "a LOGIN anna x y",
  ]) {
    for (let time = 0; time < 5; time++) assert.equal(client.say(line), "a BAD invalid command");
  }
  for (let time = 0; time < 5; time++) {
    client.say("a AUTHENTICATE PLAIN");
    assert.equal(client.say("!"), "a BAD invalid command");
  }
  assert.equal(client.say("a FROBNICATE"), "a BAD invalid command");
  assert.equal(client.say("a FROBNICATE"), "a BAD invalid command <close>");
});

test("max_errors of 0 acts like 1", () => {
  assert.equal(clearClient("imap", { max_errors: 0 }).say("?"), "* BAD invalid command <close>");
});

test("errors are not forgotten at STARTTLS", () => {
  const client = clearClient("imap", { max_errors: 2, starttls: "on" });
  client.say("a FROBNICATE");
  client.say("a STARTTLS");
  client.secure();
  assert.equal(client.say("a FROBNICATE"), "a BAD invalid command <close>");
});

test("max_commands ends the session of a client that never logs in", () => {
  const client = tlsClient("imap", { max_commands: 3 });
  for (let count = 0; count < 3; count++) assert.equal(client.say("a NOOP"), "a OK completed");
  assert.equal(client.say("a NOOP"), "a BAD invalid command <close>");
});

test("a login is accepted after max_commands other commands", () => {
  const client = tlsClient("imap", { max_commands: 3 });
  for (let count = 0; count < 3; count++) client.say("a NOOP");
  assert.equal(client.say("a LOGIN anna secret"), "<plain|anna|secret>");
});
