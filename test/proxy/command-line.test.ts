import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CommandLine, UsageError, parseCommandLine } from "../../proxy/command-line.ts";

const nothing: CommandLine = {
  help: false,
  version: false,
  build: false,
  test: false,
  dump: false,
  quiet: false,
  signal: null,
  prefix: ".",
  errorLog: null,
  file: "conf/nginx.conf",
  globals: "",
};

describe("understood as nginx does:", () => {
  const table: readonly (readonly [words: string, meaning: Partial<CommandLine>])[] = [
    ["", {}],
    ["-?", { help: true }],
    ["-h", { help: true }],
    ["-v", { version: true }],
    ["-V", { build: true }],
    ["-t", { test: true }],
    ["-T", { test: true, dump: true }],
    ["-q", { quiet: true }],
    ["-t -q", { test: true, quiet: true }],
    ["-tq", { test: true, quiet: true }],
    ["-qT", { test: true, dump: true, quiet: true }],
    ["-vt", { version: true, test: true }],
    ["-c /x", { file: "/x" }],
    ["-c/x", { file: "/x" }],
    ["-tc/x", { test: true, file: "/x" }],
    ["-tc /x -q", { test: true, file: "/x", quiet: true }],
    ["-ctq", { file: "tq" }],
    ["-c -t", { file: "-t" }],
    ["-c /x -c /y", { file: "/y" }],
    ["-p/srv/ -e stderr", { prefix: "/srv/", errorLog: "stderr" }],
    ["-p /srv -elogs/x", { prefix: "/srv", errorLog: "logs/x" }],
    ["-g pid|x;", { globals: "pid x;" }],
    ["-gpid|x;", { globals: "pid x;" }],
    ["-s stop", { signal: "stop" }],
    ["-squit", { signal: "quit" }],
    ["-s reopen", { signal: "reopen" }],
    ["-c /x -s reload", { file: "/x", signal: "reload" }],
    ["-", {}],
  ];
  for (const [words, meaning] of table) {
    test(`"${words}"`, () => {
      assert.deepEqual(parseCommandLine(split(words)), { ...nothing, ...meaning });
    });
  }

  test("arguments that are empty, in words of their own", () => {
    const words = ["-g", "", "-p", "", "-c", "", "-e", ""];
    const meaning = { globals: "", prefix: "", file: "", errorLog: "stderr" };
    assert.deepEqual(parseCommandLine(words), { ...nothing, ...meaning });
  });
});

describe("refused in nginx's words:", () => {
  const table: Readonly<Record<string, string>> = {
    x: 'invalid option: "x"',
    "-t conf": 'invalid option: "conf"',
    "-x": 'invalid option: "x"',
    "-tx": 'invalid option: "x"',
    "--test": 'invalid option: "-"',
    "-c": 'option "-c" requires file name',
    "-tc": 'option "-c" requires file name',
    "-e": 'option "-e" requires file name',
    "-p": 'option "-p" requires directory name',
    "-g": 'option "-g" requires parameter',
    "-s": 'option "-s" requires parameter',
    "-s foo": 'invalid option: "-s foo"',
    "-sSTOP": 'invalid option: "-s STOP"',
    "-s constructor": 'invalid option: "-s constructor"',
  };
  for (const [words, message] of Object.entries(table)) {
    test(`"${words}"`, () => {
      assert.throws(() => parseCommandLine(split(words)), new UsageError(message));
    });
  }

  test("a signal that is empty", () => {
    assert.throws(() => parseCommandLine(["-s", ""]), new UsageError('invalid option: "-s "'));
  });
});

/** A `|` is a space within a word. */
function split(words: string): string[] {
  if (words === "") return [];
  return words.split(" ").map((word) => word.replaceAll("|", " "));
}
