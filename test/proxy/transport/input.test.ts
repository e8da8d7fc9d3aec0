import assert from "node:assert/strict";
import { test } from "node:test";
import { Input, TooLong, chomp } from "../../../proxy/transport/index.ts";

function input(text: string): Input {
  const made = new Input();
  made.append(Buffer.from(text, "latin1"));
  return made;
}

test("line() returns one line at a time with its line end, one character for each byte", () => {
  const lines = input("a\xe4\r\nb\n\r\nrest");
  assert.deepEqual(
    [1, 2, 3, 4].map(() => lines.line(100)),
    ["a\xe4\r\n", "b\n", "\r\n", null],
  );
  assert.equal(lines.length, 4);
});

test("a line may be as long as the limit, with its line end", () => {
  assert.equal(input("1234\n").line(5), "1234\n");
  assert.throws(() => input("12345\n").line(5), TooLong);
  assert.throws(() => input("12345").line(5), TooLong);
  assert.equal(input("1234").line(5), null);
});

test("a short line is returned before a line that is too long", () => {
  const two = input("1\n123456789");
  assert.equal(two.line(5), "1\n");
  assert.throws(() => two.line(5), TooLong);
});

test("bytes() returns the given count, and line() continues behind it", () => {
  const mixed = input("ab\ncd\r\nef");
  assert.equal(mixed.bytes(4), "ab\nc");
  assert.equal(mixed.line(10), "d\r\n");
  assert.equal(mixed.bytes(3), null);
  assert.equal(mixed.bytes(0), "");
  assert.equal(Buffer.from(mixed.rest()).toString(), "ef");
  assert.equal(mixed.length, 0);
});

test("pieces are joined to one line", () => {
  const pieces = new Input();
  for (const byte of "hello\r\nyou") {
    pieces.append(Buffer.from(byte));
    pieces.peek(100);
  }
  assert.equal(pieces.line(100), "hello\r\n");
  assert.equal(pieces.peek(2), "yo");
  assert.equal(pieces.peek(20), "you");
});

test("chomp removes LF or CRLF, and returns null for any other CR", () => {
  assert.equal(chomp("a\r\n"), "a");
  assert.equal(chomp("a\n"), "a");
  assert.equal(chomp("a\rb\r\n"), null);
  assert.equal(chomp("a\r\r\n"), null);
  assert.equal(chomp("\n"), "");
});
