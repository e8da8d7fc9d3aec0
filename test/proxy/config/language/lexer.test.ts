import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../../../../proxy/config/language/error.ts";
import { Lexer } from "../../../../proxy/config/language/lexer.ts";
import { inputs } from "../../../support/property.ts";

/** Lists words as they are, and punctuation in angle brackets. */
function lex(text: string): string[] {
  const lexer = new Lexer(text, "f");
  const tokens: string[] = [];
  for (;;) {
    const token = lexer.next();
    if (token.kind === "end") return tokens;
    tokens.push(token.kind === "word" ? token.text : `<${token.kind}>`);
  }
}

const RULES: Record<string, [text: string, tokens: string[]]> = {
  "blanks part words": ["a b\tc\r\nd;", ["a", "b", "c", "d", "<;>"]],
  "; and { end a word": ["a;b{c ", ["a", "<;>", "b", "<{>", "c"]],
  "} is special only where a word may start": ["a}b } ", ["a}b", "<}>"]],
  "# starts a comment only where a word may start": ["a#b # c ;\nd ", ["a#b", "d"]],
  "a comment at the very end needs no line end": ["a; # b", ["a", "<;>"]],
  "quoted words hold anything": ['"a;{}#\n b" ', ["a;{}#\n b"]],
  "quoted words may be empty": [`"" '' `, ["", ""]],
  "one kind of quote holds the other": [`"it's" '"' `, ["it's", '"']],
  "a quote is special only where a word starts": ['a"b"c \'d"e\' ', ['a"b"c', 'd"e']],
  "after a closing quote may come ; or {": ['"a";"b"{', ["a", "<;>", "b", "<{>"]],
  "after a closing quote may come )": ['"a") ', ["a", ")"]],
  "escaped quotes and backslashes lose the backslash": [`a\\"b \\\\ \\' `, ['a"b', "\\", "'"]],
  "the same in quotes": ['"\\"\\\\\\\'" ', ["\"\\'"]],
  "t, r and n become control characters": ["a\\tb\\rc\\nd ", ["a\tb\rc\nd"]],
  "any other escape keeps both characters": ["a\\b \\$x ", ["a\\b", "\\$x"]],
  "a backslash keeps the next byte from ending the word": [
    "a\\ b\\;c\\{d; ",
    ["a\\ b\\;c\\{d", "<;>"],
  ],
  "a word may start with a backslash": ["\\# \\} ", ["\\#", "\\}"]],
  "{ directly after $ belongs to the word": ["${x} a${b}c ", ["${x}", "a${b}c"]],
  "so does the one after that": ["${{x ", ["${{x"]],
  "{ after a variable's name does not": ["$x{", ["$x", "<{>"]],
  "nor { behind an escaped $, nor one behind an escape": [
    "\\${ $\\x{",
    ["\\$", "<{>", "$\\x", "<{>"],
  ],
  "variables are literal text": ["$remote_addr ", ["$remote_addr"]],
};
for (const [rule, [text, tokens]] of Object.entries(RULES)) {
  test(rule, () => assert.deepEqual(lex(text), tokens));
}

test("each token has its line", () => {
  const lexer = new Lexer('a\n# x\n"b\nc" d\\\ne\n;', "f");
  const lines = Array.from({ length: 5 }, () => lexer.next().line);
  assert.deepEqual(lines, [1, 3, 4, 6, 6]);
});

const END = 'unexpected end of file, expecting ";" or "}"';
const MISTAKES: Record<string, [text: string, message: string]> = {
  "a character behind a closing quote": ['\n"a"b', 'unexpected "b" in f:2'],
  "a # behind a closing quote": ['"a"# ', 'unexpected "#" in f:1'],
  "a } behind a closing quote": ['"a"}', 'unexpected "}" in f:1'],
  "an unfinished word": ["\nab", `${END} in f:2`],
  "an unfinished quote": ['"ab\n', `${END} in f:2`],
  "a backslash at the very end": ["a\\", `${END} in f:1`],
};
for (const [name, [text, message]] of Object.entries(MISTAKES)) {
  test(`the error about ${name} has the file and line`, () => {
    assert.throws(() => lex(text), new ConfigError(message));
  });
}

describe("a word that does not fit nginx's buffer of 4,096 bytes", () => {
  test("is quoted by its first ten", () => {
    assert.deepEqual(lex(`${"x".repeat(4095)} `), ["x".repeat(4095)]);
    assert.deepEqual(lex(`"${"x".repeat(4094)}" `), ["x".repeat(4094)]);
    const message = 'too long parameter "0123456789..." started in f:1';
    assert.throws(() => lex("0123456789".repeat(500)), new ConfigError(message));
  });

  test("in quotes is reported at the line where it begins", () => {
    const message = 'too long parameter, probably missing terminating """ character in f:2';
    assert.throws(() => lex(`\n"${"x\n".repeat(3000)}`), new ConfigError(message));
  });
});

const character = fc.constantFrom(..." \t\r\n;{}#\"'\\$()atrn\0ü");

test("any text yields tokens or an error, and quickly", () => {
  const text = fc.oneof(fc.string({ unit: character, maxLength: 300 }), fc.string());
  fc.assert(
    fc.property(text, (any) => {
      try {
        assert.ok(lex(any).length <= any.length);
      } catch (error) {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, / in f:\d+$/);
      }
    }),
    inputs(),
  );
});

/** Quotes a word so that it reads back unchanged. */
function quote(word: string): string {
  return `"${word.replaceAll(/["\\]/g, "\\$&")}"`;
}

test("any words in quotes read back unchanged", () => {
  const words = fc.array(fc.string({ unit: character, maxLength: 50 }));
  fc.assert(
    fc.property(words, (some) => {
      assert.deepEqual(lex(some.map(quote).join(" ")), some);
    }),
    inputs(),
  );
});
