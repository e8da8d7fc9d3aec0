// Java's argument files, as java(1) describes them and its launcher reads them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ConfigError } from "../../../../../proxy/config/index.ts";
import { readArguments } from "../../../../../proxy/config/sources/java/index.ts";
import { inputs } from "../../../../support/property.ts";

function read(text: string): { words: string[]; places: string[]; warnings: string[] } {
  const warnings: string[] = [];
  const words = readArguments(text, "/x.args", warnings);
  return {
    words: words.map((word) => word.text),
    places: words.map(({ place }) => `${place.file}:${place.line}`),
    warnings,
  };
}

describe("an argument file yields the words", () => {
  const FILES: Readonly<Record<string, readonly string[]>> = {
    "": [],
    " \t\f\r\n": [],
    "-a -b\t-c\f-d\r\n-e\n\n-f": ["-a", "-b", "-c", "-d", "-e", "-f"],
    "# a comment\n-a # another\n#-b\n -c": ["-a", "-c"],
    "#\r-a": ["-a"],
    "\"two words\" 'and two more'": ["two words", "and two more"],
    "one\"and the\"same'word'": ["oneand thesameword"],
    '"it\'s" \'a "#"\'': ["it's", 'a "#"'],
    '"" a': ["", "a"],
    '"c:\\\\Program Files\\\\x"': ["c:\\Program Files\\x"],
    '"a\\tb\\nc\\rd\\fe\\"f\\gh"': ['a\tb\nc\rd\fe"fgh'],
    "a\\b \\n": ["a\\b", "\\n"],
    '"-cp a;\\\n   b;\\\r\n\t c"': ["-cp a;b;c"],
    '"joined \\\n\n\n lines" too': ["joined lines", "too"],
  };
  for (const [text, words] of Object.entries(FILES)) {
    test(`of ${JSON.stringify(text)}`, () => {
      const { words: found, warnings } = read(text);
      assert.deepEqual({ found, warnings }, { found: words, warnings: [] });
    });
  }
});

test("an open quote ends with its line, with a warning", () => {
  const { words, warnings } = read('-a="x y\n-b\n-c=8080"\n\n-d');
  assert.deepEqual(words, ["-a=x y", "-b", "-c=8080", "-d"]);
  assert.deepEqual(
    warnings,
    [1, 3].map((line) => `a quote is not closed and ends with its line in /x.args:${line}`),
  );
});

test("a # in a word is an error, since Java drops such a word", () => {
  for (const text of ["-a\n-b=x#y", '-a\n"b"#c']) {
    assert.throws(() => read(text), { message: 'unexpected "#" in /x.args:2' });
  }
});

test("a word's place is the line on which it begins", () => {
  const { places } = read('-a\n# no\n\n  -b "c \\\n  d" -e\n-f');
  assert.deepEqual(
    places,
    [1, 4, 4, 5, 6].map((line) => `/x.args:${line}`),
  );
});

test("any word can be written in quotes, with line breaks anywhere", () => {
  const quoted = (word: string): string =>
    `"${word.replaceAll(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
  const gap = fc.constantFrom(" ", "\n", "\r\n", "\t\f", " # comment \"'\n", "\n#\n\n");
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: "binary" }), gap)), (items) => {
      const text = items.map(([word, after]) => `${quoted(word)}${after}`).join("");
      assert.deepEqual(
        read(text).words,
        items.map(([word]) => word),
      );
      assert.deepEqual(read(text).warnings, []);
    }),
    inputs(4),
  );
});

test("only a # in a word is an error, whatever the file holds", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[-a"'\\#\n\r\t ]*$/));
  fc.assert(
    fc.property(text, (content) => {
      try {
        read(content);
      } catch (error) {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /^unexpected "#"/);
      }
    }),
    inputs(4),
  );
});
