import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { LogLevel } from "../../../proxy/config/index.ts";
import { ErrorLog } from "../../../proxy/observe/index.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { willingSinks } from "../../support/proxy/sinks.ts";

async function logs(
  context: TestContext,
  ...levels: readonly LogLevel[]
): Promise<{ log: ErrorLog; read: (index: number) => string }> {
  const scratch = await makeScratch();
  context.after(() => scratch.remove());
  const path = (index: number): string => join(scratch.path, `${index}.log`);
  const targets = levels.map((level, index) => ({ destination: { path: path(index) }, level }));
  return {
    log: new ErrorLog(targets, willingSinks()),
    read: (index) => readFileSync(path(index), "utf8"),
  };
}

test("a line has nginx's form, with the session's number", async (context) => {
  const { log, read } = await logs(context, "info");
  log.write("info", "client logged in", 7);
  log.write("notice", "start worker process 9");
  const [first = "", second = ""] = read(0).split("\n");
  const start = String.raw`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d `;
  assert.match(
    first,
    new RegExp(String.raw`${start}\[info\] ${process.pid}#${process.pid}: \*7 client logged in$`),
  );
  assert.match(
    second,
    new RegExp(
      String.raw`${start}\[notice\] ${process.pid}#${process.pid}: start worker process 9$`,
    ),
  );
});

test("each log takes messages of its level and of more severe ones", async (context) => {
  const { log, read } = await logs(context, "error", "info");
  for (const level of ["debug", "info", "warn", "error", "emerg"] as const) log.write(level, level);
  const words = (index: number): string[] =>
    read(index)
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ").at(-1) ?? "");
  assert.deepEqual(words(0), ["error", "emerg"]);
  assert.deepEqual(words(1), ["info", "warn", "error", "emerg"]);
  assert.ok(log.wants("info") && !log.wants("debug"));
});

test("a message makes one line without control characters", async (context) => {
  const { log, read } = await logs(context, "info");
  log.write("error", "a\r\nforged\x1b[2J\x9b\0\x7f line");
  const lines = read(0).trimEnd().split("\n");
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /a\\x0D\\x0Aforged\\x1B\[2J\\x9B\\x00\\x7F line$/);
});

test("a line has at most 2,048 bytes in any script", async (context) => {
  const { log, read } = await logs(context, "info");
  for (const character of ["x", "\n", "ä", "€", "😀"]) log.write("error", character.repeat(5000));
  for (const line of read(0).trimEnd().split("\n")) {
    assert.ok(Buffer.byteLength(line) <= 2048, `${Buffer.byteLength(line)} bytes`);
    assert.doesNotMatch(line, /�/);
  }
});
