import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ProtocolClient, notes, clearClient } from "../../support/proxy/protocol-client.ts";

const PROTOCOLS = {
  imap: {
    auth: "a AUTHENTICATE",
    prompt: "+ ",
    bad: "a BAD invalid command",
    cancelled: "a BAD authentication cancelled",
    words: 3,
  },
  pop3: {
    auth: "AUTH",
    prompt: "+ ",
    bad: "-ERR invalid command",
    cancelled: "-ERR authentication cancelled",
    words: 3,
  },
  smtp: {
    auth: "AUTH",
    prompt: "334 ",
    bad: "500 5.5.1 Invalid command",
    cancelled: "501 5.7.0 Authentication cancelled",
    words: 11,
  },
} as const;

const names = ["imap", "pop3", "smtp"] as const;

/** base64 of text as bytes. */
const b64 = btoa;

for (const name of names) {
  const { auth, prompt, bad, cancelled, words } = PROTOCOLS[name];

  /** A client that has sent AUTH with these words and got a challenge. */
  const asked = (...said: readonly string[]): ProtocolClient => {
    const client = clearClient(name);
    assert.match(client.say([auth, ...said].join(" ")), /^(\+|334) /);
    return client;
  };

  describe(name, () => {
    test("the response of PLAIN comes with the command, or after a challenge", () => {
      const response = b64("\0anna\0secret");
      assert.equal(clearClient(name).say(`${auth} PLAIN ${response}`), "<plain|anna|secret>");
      const client = clearClient(name);
      assert.equal(client.say(`${auth} plain`), prompt);
      assert.equal(client.say(response), "<plain|anna|secret>");
    });

    test("LOGIN asks for the user name and the password", () => {
      const client = clearClient(name);
      assert.equal(client.say(`${auth} LOGIN`), `${prompt}${b64("Username:")}`);
      assert.equal(client.say(b64("anna")), `${prompt}${b64("Password:")}`);
      assert.equal(client.say(b64("secret")), "<plain|anna|secret>");
    });

    test("LOGIN accepts the user name with the command", () => {
      const client = clearClient(name);
      assert.equal(client.say(`${auth} login ${b64("anna")}`), `${prompt}${b64("Password:")}`);
      assert.equal(client.say(b64("secret")), "<plain|anna|secret>");
    });

    test("an empty user name and password go to the lookup", () => {
      assert.equal(clearClient(name).say(`${auth} PLAIN ${b64("\0\0")}`), "<plain||>");
      const client = asked("LOGIN");
      client.say("");
      assert.equal(client.say(""), "<plain||>");
    });

    test("= is an empty initial response", () => {
      assert.equal(clearClient(name).say(`${auth} PLAIN =`), bad);
      assert.equal(clearClient(name).say(`${auth} LOGIN =`), `${prompt}${b64("Password:")}`);
    });

    test("the authorization identity is ignored", () => {
      assert.equal(
        clearClient(name).say(`${auth} PLAIN ${b64("root\0anna\0secret")}`),
        "<plain|anna|secret>",
      );
    });

    const WRONG: Record<string, string> = {
      "an illegal character": "AGFubmEAc2Vjcm-0",
      "a length of 4n+1": "AGFub",
      "no NUL": b64("anna"),
      "one NUL": b64("\0anna"),
      "a NUL in the password": b64("\0anna\0sec\0ret"),
      "a CR in the password": b64("\0anna\0sec\rret"),
      "a LF in the login": b64("\0an\nna\0secret"),
      nothing: "",
    };
    for (const [what, response] of Object.entries(WRONG)) {
      test(`${what} in a PLAIN response is refused, and the session goes on`, () => {
        const client = asked("PLAIN");
        assert.equal(client.say(response), bad);
        assert.equal(client.say(`${auth} PLAIN ${b64("\0anna\0secret")}`), "<plain|anna|secret>");
      });
    }

    test("padding may be missing, and the text after it is ignored", () => {
      for (const response of [
        b64("\0anna\0secre").replace(/=+$/, ""),
        `${b64("\0anna\0secre")}=x!`,
      ]) {
        assert.equal(asked("PLAIN").say(response), "<plain|anna|secre>");
      }
    });

    test("an invalid answer to either challenge of LOGIN ends the exchange", () => {
      assert.equal(asked("LOGIN").say("!"), bad);
      const client = asked("LOGIN");
      client.say(b64("anna"));
      assert.equal(client.say("!"), bad);
      const clean = asked("LOGIN");
      clean.say(b64("an\nna"));
      assert.equal(clean.say(b64("secret")), bad);
    });

    test("* cancels, and the session goes on", () => {
      const client = asked("PLAIN");
      assert.equal(client.say("*"), cancelled);
      assert.equal(client.say(`${auth} PLAIN ${b64("\0anna\0secret")}`), "<plain|anna|secret>");
      const second = asked("LOGIN");
      second.say(b64("anna"));
      assert.equal(second.say("*"), cancelled);
    });

    test("an unknown mechanism and too many words are refused", () => {
      assert.equal(clearClient(name).say(`${auth} KERBEROS_V4`), bad);
      assert.equal(clearClient(name).say(`${auth} PLAINER`), bad);
      assert.equal(clearClient(name).say(`${auth} PLAIN ${b64("\0anna\0secret")} x`), bad);
    });

    test(`a response line may have ${words} words; the first is the response`, () => {
      const response = b64("\0anna\0secret");
      assert.equal(asked("PLAIN").say(response + " x".repeat(words - 1)), "<plain|anna|secret>");
      assert.equal(asked("PLAIN").say(response + " x".repeat(words)), bad);
    });

    test("invalid SASL data does not count as an error, too many words do", () => {
      const client = clearClient(name, { max_errors: 1 });
      for (const response of ["!", b64("anna"), "*"]) {
        client.say(`${auth} PLAIN`);
        assert.doesNotMatch(client.say(response), /<close>/);
      }
      client.say(`${auth} PLAIN`);
      assert.match(client.say("x".repeat(words + 1).replaceAll("x", "x ")), /<close>$/);
    });

    test("each SASL response counts as a command", () => {
      const client = clearClient(name, { max_commands: 3 });
      client.say(`${auth} PLAIN`);
      client.say("!");
      client.say(`${auth} PLAIN`);
      assert.match(client.say("!"), /<close>$/);
    });

    test("a mechanism that is not configured is refused", () => {
      assert.equal(clearClient(name).say(`${auth} CRAM-MD5`), bad);
      assert.equal(clearClient(name).say(`${auth} EXTERNAL`), bad);
      assert.equal(clearClient(name).say(`${auth} EXTERNAL ${b64("anna")}`), bad);
    });

    const methods = ["cram-md5", "external"];
    const changes = { imap_auth: methods, pop3_auth: methods, smtp_auth: methods };

    test("CRAM-MD5 digests one salt for the whole session", () => {
      const client = clearClient(name, changes);
      const challenge = client.say(`${auth} CRAM-MD5`);
      const salt = atob(challenge.slice(prompt.length));
      assert.match(salt, /^<\d+\.\d+@mx\.example\.test>$/);
      const digest = "0123456789abcdef".repeat(2);
      assert.equal(client.say(b64(`anna ${digest}`)), `<cram-md5|anna|${digest}>`);
      assert.equal(client.say(`${auth} CRAM-MD5`), challenge);
      assert.equal(client.say(b64(`anna ${digest}0`)), bad);
      assert.equal(client.say(`${auth} CRAM-MD5 ${b64("anna")}`), bad);
    });

    test("the user of EXTERNAL comes with the command, or after a challenge", () => {
      const client = clearClient(name, changes);
      assert.equal(client.say(`${auth} EXTERNAL ${b64("anna")}`), "<external|anna>");
      client.say(`${auth} EXTERNAL`);
      assert.equal(client.say(b64("anna")), "<external|anna>");
      assert.equal(client.say(`${auth} EXTERNAL ${b64("an\r\nna")}`), bad);
    });
  });
}

const FLAWS: readonly [said: readonly string[], note: string][] = [
  [["PLAIN !"], "base64 encoding in AUTH PLAIN"],
  [[`plain ${b64("anna")}`], "login in AUTH PLAIN"],
  [[`PLAIN ${b64("anna\0")}`], "login in AUTH PLAIN"],
  [[`PLAIN ${b64("\0anna")}`], "password in AUTH PLAIN"],
  [[`PLAIN ${b64("\0an\nna\0x")}`], "login in AUTH PLAIN"],
  [[`PLAIN ${b64("\0anna\0x\0y")}`], "password in AUTH PLAIN"],
  [["LOGIN !"], "base64 encoding in AUTH LOGIN"],
  [["LOGIN", b64("anna"), "!"], "base64 encoding in AUTH LOGIN"],
  [["CRAM-MD5", "!"], "base64 encoding in AUTH CRAM-MD5"],
  [["CRAM-MD5", b64("anna 0123")], "CRAM-MD5 hash in AUTH CRAM-MD5"],
  [["EXTERNAL !"], "base64 encoding in AUTH EXTERNAL"],
  [["EXTERNAL", b64("an\nna")], "login in AUTH EXTERNAL"],
];
for (const [[first, ...rest], note] of FLAWS) {
  test(`the log notes an invalid ${note} command without its data: ${first}`, () => {
    const client = clearClient("smtp", { smtp_auth: ["cram-md5", "external"] });
    const said = [`AUTH ${first}`, ...rest].map((line) => client.send(`${line}\r\n`));
    assert.deepEqual(notes(said.at(-1) ?? []), [`client sent invalid ${note} command`]);
  });
}

test("a TAB after a response is not a space", () => {
  const client = clearClient("smtp");
  client.say("AUTH PLAIN");
  assert.equal(client.say(`${b64("\0anna\0secret")}\t`), "500 5.5.1 Invalid command");
});
