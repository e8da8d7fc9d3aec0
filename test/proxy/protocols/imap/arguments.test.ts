import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clearClient, inShort } from "../../../support/proxy/protocol-client.ts";

const BAD = "a BAD invalid command";

/** Arguments of LOGIN with the login and password that they give, or null where they are refused. */
const WORDS: Record<string, string | null> = {
  "anna secret": "anna|secret",
  "  anna   secret  ": "anna|secret",
  'an"na se\\cret': 'an"na|se\\cret',
  '"anna" "secret"': "anna|secret",
  '"anna""secret"': "anna|secret",
  '"an na" "se cret"': "an na|se cret",
  '"an\\"na" "se\\\\cret"': 'an"na|se\\cret',
  '"\\anna" "secret"': "anna|secret",
  'anna ""': "anna|",
  "\xe4nna s\xffcret": "\xe4nna|s\xffcret",
  '"anna" "secret': null,
  '"anna" "secret\\"': null,
  '"anna': null,
  "anna {5": null,
  "anna {-1}": null,
  "anna {1 }": null,
  "anna {1}x": null,
  "anna {+1}": null,
  "anna {a}": null,
};
for (const [words, login] of Object.entries(WORDS)) {
  test(`LOGIN ${JSON.stringify(words)} ${login === null ? "is refused" : "is accepted"}`, () => {
    assert.equal(
      clearClient("imap").say(`a LOGIN ${words}`),
      login === null ? BAD : `<plain|${login}>`,
    );
  });
}

describe("literals", () => {
  test("the server sends + before each literal that waits", () => {
    const client = clearClient("imap");
    assert.deepEqual(client.send("a LOGIN {4}\r\n").map(inShort), ["+ OK"]);
    assert.deepEqual(client.send("anna {6}\r\n").map(inShort), ["+ OK"]);
    assert.deepEqual(client.send("secret\r\n").map(inShort), ["<plain|anna|secret>"]);
  });

  test("the server sends nothing before a literal that does not wait", () => {
    const steps = clearClient("imap").send("a LOGIN {4+}\r\nanna {6+}\r\nsecret\r\nb NOOP\r\n");
    assert.deepEqual(steps.map(inShort), ["<plain|anna|secret>", "b OK completed"]);
  });

  test("a password as a literal may hold any byte but CR, LF and NUL", () => {
    const secret = '"\\{5+} \xff\x01';
    const client = clearClient("imap");
    client.send(`a LOGIN anna {${secret.length}}\r\n`);
    assert.deepEqual(client.send(`${secret}\r\n`).map(inShort), [`<plain|anna|${secret}>`]);
  });

  for (const [name, byte] of [
    ["CR", "\r"],
    ["LF", "\n"],
    ["NUL", "\0"],
  ] as const) {
    test(`a password with ${name} is refused, and the text after it is not a command`, () => {
      const steps = clearClient("imap").send(`a LOGIN anna {9+}\r\nx${byte}b NOOP \r\nc NOOP\r\n`);
      assert.deepEqual(steps.map(inShort), [BAD, "c OK completed"]);
    });

    test(`a login with ${name} is refused`, () => {
      const steps = clearClient("imap").send(`a LOGIN {2+}\r\nx${byte} secret\r\nc NOOP\r\n`);
      assert.deepEqual(steps.map(inShort), [BAD, "c OK completed"]);
    });
  }

  test("an empty literal is an empty string", () => {
    for (const empty of ["{0+}", "{+}"]) {
      const steps = clearClient("imap").send(`a LOGIN anna ${empty}\r\n\r\nb NOOP\r\n`);
      assert.deepEqual(steps.map(inShort), ["<plain|anna|>", "b OK completed"]);
    }
    const client = clearClient("imap");
    assert.deepEqual(client.send("a LOGIN anna {0}\r\n").map(inShort), ["+ OK"]);
    assert.deepEqual(client.send("\r\n").map(inShort), ["<plain|anna|>"]);
  });

  test("only a space or the line's end may follow a literal", () => {
    const client = clearClient("imap");
    client.send("a LOGIN {4}\r\n");
    assert.deepEqual(client.send("annax secret\r\n").map(inShort), [BAD]);
    assert.equal(client.say("b NOOP"), "b OK completed");
  });

  test("a literal may belong to a command without arguments", () => {
    const steps = clearClient("imap").send("a NOOP {6+}\r\nb NOOP\r\nc NOOP\r\n");
    assert.deepEqual(steps.map(inShort), ["a OK completed", "c OK completed"]);
  });

  const REJECTED = {
    "with too many arguments": "a LOGIN a b c {9+}",
    "with an unfinished quote": 'a LOGIN "b {9+}',
    "with a CR inside": "a LOGIN x\ry {9+}",
    "with a bad name": "a L0GIN {9+}",
  };
  for (const [name, line] of Object.entries(REJECTED)) {
    test(`a rejected line ${name} closes the session before its literal is taken for commands`, () => {
      const steps = clearClient("imap").send(`${line}\r\nb LOGIN x y\r\n`).map(inShort);
      assert.deepEqual(steps, [`${BAD} <close>`]);
    });
  }

  for (const size of ["5000", "99999999999", "4294967297", "9".repeat(400)]) {
    test(`a literal of ${size.slice(0, 12)} bytes is refused when the buffer is full`, () => {
      for (const plus of ["", "+"]) {
        const client = clearClient("imap");
        const command = `a LOGIN {${size}${plus}}\r\n`;
        assert.deepEqual(client.send(command).map(inShort), plus === "" ? ["+ OK"] : []);
        assert.deepEqual(client.send("x".repeat(4095 - command.length)), []);
        assert.deepEqual(client.send("x").map(inShort), [`${BAD} <close>`]);
      }
    });
  }

  test("CRs after a literal's size are ignored, other CRs are refused", () => {
    const client = clearClient("imap");
    assert.equal(client.say("a LOGIN {4}\r\r"), "+ OK");
    assert.equal(client.say("anna {6+}\r"), "");
    assert.equal(client.say("secret"), "<plain|anna|secret>");
    assert.equal(client.say("a LOGIN anna {6} \r"), BAD);
    assert.equal(client.say("a LOGIN anna secret\r"), BAD);
    assert.equal(client.say('a LOGIN anna "secret"\r'), BAD);
  });
});
