// Commands of clients before the login, in the three protocols.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Step, configureProtocol } from "../../../proxy/protocols/index.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { inputs } from "../../support/property.ts";
import { ProtocolClient } from "../../support/proxy/protocol-client.ts";
import { serverSettings } from "../../support/proxy/settings.ts";
import { Share, lines, mutated, readInPieces } from "./mutation.ts";

const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");

const word = fc.constantFrom("anna", "a@b.test", "x\xe4y", "user%40", "0");
const secret = fc.constantFrom("secret", "pass word", "\xff\x01", "p%20", "{5}");

const AUTH: Readonly<Record<ProtocolName, string>> = {
  imap: "t AUTHENTICATE",
  pop3: "AUTH",
  smtp: "AUTH",
};

/** SASL exchanges, line by line. */
const sasl = (name: ProtocolName): fc.Arbitrary<readonly string[]> =>
  fc.oneof(
    fc
      .tuple(word, secret)
      .map(([user, password]) => [`${AUTH[name]} PLAIN ${base64(`\0${user}\0${password}`)}`]),
    fc
      .tuple(word, secret)
      .map(([user, password]) => [`${AUTH[name]} PLAIN`, base64(`z\0${user}\0${password}`)]),
    fc
      .tuple(word, secret)
      .map(([user, password]) => [`${AUTH[name]} LOGIN`, base64(user), base64(password)]),
    word.map((user) => [`${AUTH[name]} CRAM-MD5`, base64(`${user} ${"0a".repeat(16)}`)]),
    word.map((user) => [
      `${AUTH[name]} XOAUTH2 ${base64(`user=${user}\u0001auth=Bearer abc\u0001\u0001`)}`,
    ]),
    fc.constant([`${AUTH[name]} LOGIN`, "*"]),
  );

const LOGINS: Readonly<Record<ProtocolName, fc.Arbitrary<readonly string[]>>> = {
  imap: fc.oneof(
    sasl("imap"),
    fc.tuple(word, secret).map(([user, password]) => [`t LOGIN ${user} "${password}"`]),
    fc
      .tuple(word, secret, fc.constantFrom("", "+"))
      .map(([user, password, plus]) => [
        `t LOGIN {${user.length}${plus}}`,
        `${user} {${password.length}${plus}}`,
        password,
      ]),
  ),
  pop3: fc.oneof(
    sasl("pop3"),
    fc.tuple(word, secret).map(([user, password]) => [`USER ${user}`, `PASS ${password}`]),
    word.map((user) => [`APOP ${user} ${"0a".repeat(16)}`]),
  ),
  smtp: fc.oneof(
    sasl("smtp"),
    word.map((user) => [`MAIL FROM:<${user}>`, `RCPT TO:<${user}>`]),
  ),
};

const OTHERS: Readonly<Record<ProtocolName, fc.Arbitrary<readonly string[]>>> = {
  imap: fc.constantFrom([], ["t NOOP"], ["t CAPABILITY"], ['t ID ("x-proxy-ttl" "3")'], ["t X"]),
  pop3: fc.constantFrom([], ["NOOP"], ["CAPA"], ["XCLIENT TTL=3"], ["STAT"]),
  smtp: fc.constantFrom([], ["EHLO x.test"], ["HELO x"], ["XCLIENT TTL=2"], ["DATA"], ["RSET"]),
};

const MECHANISMS = ["plain", "login", "cram-md5", "xoauth2", "oauthbearer", "external"] as const;

for (const name of ["imap", "pop3", "smtp"] as const) {
  const protocol = configureProtocol(
    serverSettings(name, {
      imap_auth: MECHANISMS,
      pop3_auth: [...MECHANISMS, "apop"],
      smtp_auth: [...MECHANISMS, "none"],
      proxy_client_id: true,
      imap_client_buffer: 128,
      smtp_client_buffer: 128,
    }),
  );
  const commands = fc.tuple(OTHERS[name], LOGINS[name], OTHERS[name]).map((parts) => parts.flat());

  const stepsOf = (pieces: readonly string[]): readonly Step[] => {
    const client = new ProtocolClient(protocol, true);
    return pieces.flatMap((piece) => client.send(piece));
  };

  describe(`${name}: what a client says`, () => {
    test("leads to the same steps however the network cuts it, and to clean credentials", (t) => {
      const share = new Share();
      fc.assert(
        fc.property(mutated(lines(commands)), (said) => {
          const steps = readInPieces(said, (pieces) => comparable(stepsOf(pieces)));
          share.count(steps.some((step) => step.kind === "login"));
          steps.forEach(assertClean);
        }),
        inputs(2),
      );
      share.assertAbove(0.5, t);
    });
  });
}

/** Salts differ from session to session, and a name that has not arrived whole stands in no note. */
function comparable(steps: readonly Step[]): readonly Step[] {
  const text = JSON.stringify(steps)
    .replace(/<\d+\.\d+@[^>]*>/g, "<salt>")
    .replace(/(\+|334) [A-Za-z0-9+/]{40,}=*/g, "$1 challenge")
    .replace(/(too long command) \\"\w*\\"/, "$1");
  return JSON.parse(text) as readonly Step[];
}

/** No credential holds what would be a command to an upstream, and no reply what would be one more. */
function assertClean(step: Step): void {
  if (step.kind === "login") {
    for (const value of Object.values(step.credentials)) assert.doesNotMatch(value, /[\r\n\0]/);
  } else {
    assert.match(step.text, /^([\x20-\x7e]*\r\n)+$/);
  }
}
