import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { ConfigError } from "../../../proxy/config/index.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { type CommandLine, UsageError, parseCommandLine } from "../../../proxy/cli/command-line.ts";

const nothing: CommandLine = {
  help: false,
  version: false,
  build: false,
  test: false,
  dump: false,
  quiet: false,
  signal: null,
  order: null,
  prefix: ".",
  errorLog: null,
  file: "conf/nginx.conf",
  globals: "",
  properties: [],
  warnings: [],
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
    ["-s who", { order: { word: "who" } }],
    ["-swho -c /x", { order: { word: "who" }, file: "/x" }],
    ["-s kick anna -c /x", { order: { word: "kick", user: "anna" }, file: "/x" }],
    ["-skick -t -t", { order: { word: "kick", user: "-t" }, test: true }],
    ["-s kick anna -s stop", { signal: "stop" }],
    ["-s stop -s kick anna", { order: { word: "kick", user: "anna" } }],
    ["-c /x -s reload", { file: "/x", signal: "reload" }],
    ["-", {}],
  ];
  for (const [words, meaning] of table) {
    test(`"${words}"`, () => {
      assert.deepEqual(parseCommandLine(split(words)), { ...nothing, ...meaning });
    });
  }

  test("empty arguments in words of their own", () => {
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

  test("an empty signal", () => {
    assert.throws(() => parseCommandLine(["-s", ""]), new UsageError('invalid option: "-s "'));
  });
});

describe("Java's command line has", { concurrency: true }, () => {
  const flags = { file: "command line", line: 0 };

  test("-D among nginx's letters, in order", () => {
    const { properties, ...rest } = parseCommandLine(split("-t -Da.b=c|d=e -c -Dx=1 -Da.b -q"));
    assert.deepEqual(properties, [
      { name: "a.b", value: "c d=e", place: flags },
      { name: "a.b", value: "", place: flags },
    ]);
    const { properties: _, ...others } = nothing;
    assert.deepEqual(rest, { ...others, test: true, quiet: true, file: "-Dx=1" });
  });

  for (const words of ["-D", "-D=x", "-tDa=b"]) {
    test(`no ${words}`, () => {
      assert.throws(() => parseCommandLine([words]), new UsageError('invalid option: "D"'));
    });
  }

  test("@FILE for the words in the file", async (t) => {
    const file = await argumentFile(t, '# mine\n-Dp="1\n-tc');
    const line = parseCommandLine(["-Dp=0", `@${file}`, "/x", "-Dp=2"]);
    assert.deepEqual(line, {
      ...nothing,
      test: true,
      file: "/x",
      properties: [
        { name: "p", value: "0", place: flags },
        { name: "p", value: "1", place: { file, line: 2 } },
        { name: "p", value: "2", place: flags },
      ],
      warnings: [`a quote is not closed and ends with its line in ${file}:2`],
    });
  });

  test("no @FILE as the argument of a letter", () => {
    assert.equal(parseCommandLine(["-c", "@x"]).file, "@x");
  });

  test("no @FILE in a file, and no option that nginx lacks", async (t) => {
    for (const [text, told] of [
      ["-t\n@other", '"@other"'],
      ["-Xmx1g", '"X"'],
      ["mail.imap.proxy.password=SECRET", '"mail.imap.proxy.password=..."'],
    ] as const) {
      const file = await argumentFile(t, text);
      const line = text.split("\n").length;
      const message = `invalid option: ${told} in ${file}:${line}`;
      assert.throws(() => parseCommandLine([`@${file}`]), new UsageError(message));
    }
  });

  test("no property without its -D, and the refusal leaves its value out", () => {
    const message = 'invalid option: "mail.imap.proxy.password=..."';
    const word = "mail.imap.proxy.password=SECRET";
    assert.throws(() => parseCommandLine([word]), new UsageError(message));
  });

  test("no rest of a password that a blank has parted, and the refusal does not tell it", async (t) => {
    const message = 'unexpected word behind "-Dmail.imap.proxy.password=...", which needs quotes';
    const words = ["-Dmail.imap.proxy.password=SEC", "RET"];
    assert.throws(() => parseCommandLine(words), new UsageError(message));
    const file = await argumentFile(t, words.join(" "));
    assert.throws(() => parseCommandLine([`@${file}`]), new UsageError(`${message} in ${file}:1`));
  });

  test("no @@, and no @ alone", () => {
    for (const word of ["@@x", "@"]) {
      const message = `invalid option: "${word}"`;
      assert.throws(() => parseCommandLine([word]), new UsageError(message));
    }
  });

  test("no missing @FILE", () => {
    const message = 'open() "/none/such" failed (2: No such file or directory)';
    assert.throws(() => parseCommandLine(["@/none/such"]), new ConfigError(message));
  });

  test("POSTERN_JAVA_OPTS, whose words come first, and may name files", async (t) => {
    const file = await argumentFile(t, "-Dp=2");
    const options = `-Dp=1\n@${file} '-Dp=3 4'`;
    const { properties } = parseCommandLine(["-Dp=5"], options);
    assert.deepEqual(properties, [
      { name: "p", value: "1", place: { file: "POSTERN_JAVA_OPTS", line: 1 } },
      { name: "p", value: "2", place: { file, line: 1 } },
      { name: "p", value: "3 4", place: { file: "POSTERN_JAVA_OPTS", line: 2 } },
      { name: "p", value: "5", place: flags },
    ]);
  });
});

async function argumentFile(t: TestContext, text: string): Promise<string> {
  const { path, remove } = await makeScratch();
  t.after(remove);
  await writeFile(join(path, "x.args"), text);
  return join(path, "x.args");
}

/** A `|` is a space within a word. */
function split(words: string): string[] {
  if (words === "") return [];
  return words.split(" ").map((word) => word.replaceAll("|", " "));
}
