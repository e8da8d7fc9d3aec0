import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseOauthbearer, parseXoauth2 } from "../../../proxy/protocols/oauth.ts";
import {
  type ProtocolClient,
  clearClient,
  tlsClient,
  inShort,
} from "../../support/proxy/protocol-client.ts";
import { inputs } from "../../support/property.ts";

const TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

const XOAUTH2 = btoa(`user=anna@example.test\u0001auth=Bearer ${TOKEN}\u0001\u0001`);
const OAUTHBEARER = btoa(
  `n,a=anna@example.test,\u0001host=mail.test\u0001port=143\u0001auth=Bearer ${TOKEN}\u0001\u0001`,
);

describe("XOAUTH2", () => {
  test("has a user and a token", () => {
    assert.deepEqual(parseXoauth2(`user=anna\u0001auth=Bearer ${TOKEN}\u0001\u0001`), {
      user: "anna",
      token: TOKEN,
    });
  });

  for (const [what, message] of [
    ["no user", `user=\u0001auth=Bearer ${TOKEN}\u0001\u0001`],
    ["no token", "user=anna\u0001auth=Bearer \u0001\u0001"],
    ["another scheme", `user=anna\u0001auth=Basic ${TOKEN}\u0001\u0001`],
    ["a token that would break a header", "user=anna\u0001auth=Bearer x\r\ny\u0001\u0001"],
    ["an end that is missing", `user=anna\u0001auth=Bearer ${TOKEN}\u0001`],
    ["more than its end", `user=anna\u0001auth=Bearer ${TOKEN}\u0001\u0001x`],
    ["nothing", ""],
  ] as const) {
    test(`${what} is refused`, () => assert.equal(parseXoauth2(message), null));
  }
});

describe("OAUTHBEARER (RFC 7628)", () => {
  const message = (header: string, fields: string): string =>
    `${header}\u0001${fields}auth=Bearer ${TOKEN}\u0001\u0001`;

  test("has an authorization identity, fields, and a token", () => {
    const fields = "host=mail.test\u0001port=993\u0001";
    assert.deepEqual(parseOauthbearer(message("n,a=anna@example.test,", fields)), {
      user: "anna@example.test",
      token: TOKEN,
    });
  });

  test("may have no identity, which the token then gives", () => {
    assert.deepEqual(parseOauthbearer(message("n,,", "")), { user: "", token: TOKEN });
    assert.deepEqual(parseOauthbearer(message("y,,", "")), { user: "", token: TOKEN });
  });

  test("commas and equals signs of an identity are escaped", () => {
    assert.equal(parseOauthbearer(message("n,a=a=2Cb=3Dc,", ""))?.user, "a,b=c");
  });

  for (const [what, said] of [
    ["channel binding", message("p=tls-unique,,", "")],
    ["a wrong escape", message("n,a=a=2cb,", "")],
    ["two tokens", message("n,,", `auth=Bearer ${TOKEN}\u0001`)],
    ["no token", "n,a=anna,\u0001\u0001"],
    ["a header without its end", message("n,a=anna", "")],
    ["a missing end", message("n,,", "").slice(0, -1)],
    ["XOAUTH2", atob(XOAUTH2)],
  ] as const) {
    test(`${what} is refused`, () => assert.equal(parseOauthbearer(said), null));
  }
});

test("a token never has a character that would break a header", () => {
  const piece = fc.oneof(
    fc.constantFrom("user=", "n,", "a=", ",", "auth=Bearer ", "\u0001", "\u0001\u0001", "x", "=2C"),
    fc.string({ unit: "binary-ascii", maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      for (const read of [parseXoauth2, parseOauthbearer]) {
        const token = read(pieces.join(""))?.token ?? "x";
        assert.match(token, /^[!-~]+$/);
      }
    }),
    inputs(),
  );
});

const PROTOCOLS = {
  imap: { auth: "a AUTHENTICATE", prompt: "+ ", bad: "a BAD invalid command" },
  pop3: { auth: "AUTH", prompt: "+ ", bad: "-ERR invalid command" },
  smtp: { auth: "AUTH", prompt: "334 ", bad: "500 5.5.1 Invalid command" },
} as const;

const METHODS = ["plain", "xoauth2", "oauthbearer"];
const named = { imap_auth: METHODS, pop3_auth: METHODS, smtp_auth: METHODS };

for (const protocol of ["imap", "pop3", "smtp"] as const) {
  const { auth, prompt, bad } = PROTOCOLS[protocol];
  const LIST = { imap: "a CAPABILITY", pop3: "CAPA", smtp: "EHLO x" }[protocol];

  describe(protocol, () => {
    test("both mechanisms are offered under TLS only", () => {
      assert.match(tlsClient(protocol, named).say(LIST), /XOAUTH2[ =A-Z]* (?:AUTH=)?OAUTHBEARER/);
      assert.doesNotMatch(clearClient(protocol, named).say(LIST), /OAUTH/);
    });

    test("in the clear a token is refused unread", () => {
      assert.equal(clearClient(protocol, named).say(`${auth} XOAUTH2 ${XOAUTH2}`), bad);
      assert.equal(clearClient(protocol, named).say(`${auth} OAUTHBEARER`), bad);
    });

    test("mechanisms that the directive does not name are invalid commands", () => {
      assert.equal(tlsClient(protocol).say(`${auth} XOAUTH2 ${XOAUTH2}`), bad);
    });

    test("the token comes with the command, or after a challenge", () => {
      for (const [name, response] of [
        ["xoauth2", XOAUTH2],
        ["oauthbearer", OAUTHBEARER],
      ]) {
        const login = `<${name}|anna@example.test|${TOKEN}>`;
        assert.equal(tlsClient(protocol, named).say(`${auth} ${name} ${response}`), login);
        const client = tlsClient(protocol, named);
        assert.equal(client.say(`${auth} ${name}`), prompt);
        assert.equal(client.say(`${response}`), login);
      }
    });

    test("an invalid token is an invalid command, and the session goes on", () => {
      const client = tlsClient(protocol, named);
      assert.equal(client.say(`${auth} XOAUTH2 ${btoa("user=anna")}`), bad);
      assert.equal(client.say(`${auth} XOAUTH2`), prompt);
      assert.equal(client.say("!"), bad);
      assert.doesNotMatch(client.say(LIST), /BAD|ERR|500/);
    });

    const failed = (client: ProtocolClient, kind: "reply" | "refusal"): string =>
      client.handler.challenge("eyJzdGF0dXMiOiI0MDEifQ==", { kind, text: "no\r\n" });

    test("a failure is reported in a challenge, and refused when the client has answered", () => {
      for (const answer of ["AQ==", "", "*", "not base64"]) {
        const client = tlsClient(protocol, named);
        client.say(`${auth} XOAUTH2 ${XOAUTH2}`);
        assert.equal(failed(client, "refusal"), `${prompt}eyJzdGF0dXMiOiI0MDEifQ==\r\n`);
        assert.equal(client.say(answer), "no <close>");
      }
    });

    test("after a failure that allows another login, commands are read again", () => {
      const client = tlsClient(protocol, named);
      client.say(`${auth} XOAUTH2 ${XOAUTH2}`);
      failed(client, "reply");
      assert.deepEqual(client.send("AQ=").map(inShort), []);
      assert.deepEqual(client.send("=\r\n").map(inShort), ["no"]);
      assert.equal(
        client.say(`${auth} XOAUTH2 ${XOAUTH2}`),
        `<xoauth2|anna@example.test|${TOKEN}>`,
      );
    });

    test("an answer to the challenge that never ends closes the session", () => {
      const client = tlsClient(protocol, named);
      client.say(`${auth} XOAUTH2 ${XOAUTH2}`);
      failed(client, "refusal");
      const steps = client.send("A".repeat(20_000));
      assert.deepEqual(
        steps.map(({ kind }) => kind),
        ["farewell"],
      );
    });
  });
}
