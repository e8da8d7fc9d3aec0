// The bound of an upstream's replies (proxy_buffer), in the three protocols.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TooLong } from "../../../proxy/transport/index.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { clearClient } from "../../support/proxy/protocol-client.ts";
import { type Played, logIn } from "../../support/proxy/login-script.ts";

const BUFFER = 48;

function loginAt(protocol: ProtocolName, ...lines: readonly string[]): Played {
  const changes = { proxy_buffer: BUFFER, proxy_smtp_auth: true, xclient: false };
  const client = clearClient(protocol, changes);
  if (protocol === "imap") client.say("a LOGIN anna secret");
  if (protocol === "smtp") client.say("EHLO laptop");
  return logIn(client, lines, {}, protocol === "pop3" ? "starttls" : "off");
}

/** A greeting and a reply of several lines, one of which holds the filling. */
const REPLIES: Readonly<Record<ProtocolName, (filling: string) => readonly string[]>> = {
  imap: (filling) => ["* OK hi", "* OK wait", `* OK ${filling}`, "+ "],
  pop3: (filling) => ["+OK hi", "+OK list", filling, "."],
  smtp: (filling) => ["220 hi", "250-mx", `250-${filling}`, "250 ok"],
};

for (const protocol of ["imap", "pop3", "smtp"] as const) {
  const ofLength = (length: number): readonly string[] => {
    const [, ...reply] = REPLIES[protocol]("");
    const rest = `${reply.join("\r\n")}\r\n`.length;
    return REPLIES[protocol]("x".repeat(length - rest));
  };

  test(`${protocol}: each reply may have proxy_buffer bytes, over all its lines`, () => {
    if (protocol === "pop3") {
      assert.throws(() => loginAt("pop3", ...ofLength(BUFFER)), /does not offer STLS/);
    } else assert.equal(loginAt(protocol, ...ofLength(BUFFER)).sent.length, 2);
  });

  test(`${protocol}: a reply of more bytes ends the login`, () => {
    assert.throws(() => loginAt(protocol, ...ofLength(BUFFER + 1)), TooLong);
  });

  test(`${protocol}: a greeting without end ends the login when the buffer is full`, () => {
    assert.throws(() => loginAt(protocol, "x".repeat(BUFFER)), TooLong);
  });
}
