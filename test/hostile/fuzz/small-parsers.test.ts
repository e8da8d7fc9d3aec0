// DNS responses, tunnels and certificates, mutated from valid ones.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { TRUNCATED, decodeResponse } from "../../../proxy/resolver/message.ts";
import { CertificateFacts } from "../../../proxy/transport/tls/x509/certificate-facts.ts";
import { nameValues } from "../../../proxy/transport/tls/x509/der.ts";
import { Input, type Script } from "../../../proxy/transport/index.ts";
import { connect } from "../../../proxy/upstream/tunnel/connect.ts";
import { socks5 } from "../../../proxy/upstream/tunnel/socks5.ts";
import { isIp } from "../../../shared/address.ts";
import { issue } from "../../support/certificates/authority.ts";
import { type DnsRecord, answer } from "../../support/peers/name-server.ts";
import { inputs } from "../../support/property.ts";
import { Share, lines, mutated, readInPieces } from "./mutation.ts";

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

test("a DNS response yields addresses, or nothing", (t) => {
  const question = { id: 7, type: "A", name: "mx.example.test" } as const;
  const record: fc.Arbitrary<DnsRecord> = fc.oneof(
    fc.ipV4().map((data) => ({ type: "A", data }) as const),
    fc.constant({ type: "CNAME", data: "mail.example.test" } as const),
  );
  const response = fc
    .array(record, { minLength: 1, maxLength: 4 })
    .map((records) => latin1(answer(question, records)));
  const share = new Share();
  fc.assert(
    fc.property(mutated(response), (text) => {
      const heard = decodeResponse(Buffer.from(text, "latin1"), question);
      const found = heard === null || heard === TRUNCATED ? null : heard;
      share.count(found !== null && found.values.length > 0);
      for (const value of found?.values ?? []) assert.ok(isIp(value), value);
    }),
    inputs(),
  );
  share.assertAbove(0.3, t);
});

const server = { host: "192.0.2.7", port: 143 };
const credentials = { user: "anna", password: "s\xe9cret" };

const TUNNELS: Readonly<
  Record<string, { script: (input: Input) => Script<void>; replies: fc.Arbitrary<string> }>
> = {
  CONNECT: {
    script: (input) => connect(input, server, credentials),
    replies: lines(
      fc
        .tuple(
          fc.constantFrom("HTTP/1.1 200 OK", "HTTP/1.0 200", "HTTP/1.1 407 No", "HTTP/1.1 502 Bad"),
          fc.uniqueArray(fc.constantFrom("Via: x", "Content-Length: 0", "X:", "Proxy-Agent: y")),
        )
        .map(([status, fields]) => [status, ...fields, ""]),
    ),
  },
  SOCKS5: {
    script: (input) => socks5(input, server, credentials),
    replies: fc
      .tuple(
        fc.constantFrom("\x05\x00", "\x05\x02\x01\x00", "\x05\xff"),
        fc.constantFrom("\x05\x00\x00", "\x05\x05\x00"),
        fc.constantFrom(
          "\x01\x00\x00\x00\x00\x00\x00",
          "\x03\x02ab\x00\x50",
          `\x04${"\0".repeat(18)}`,
        ),
      )
      .map((parts) => parts.join("")),
  },
};

function play(script: (input: Input) => Script<void>, pieces: readonly string[]): string {
  const input = new Input();
  const left = [...pieces];
  try {
    const running = script(input);
    for (;;) {
      const { done, value } = running.next();
      if (done === true) return `tunnel ${input.peek(input.length)}${left.join("")}`;
      if (value !== null) continue;
      const piece = left.shift();
      if (piece === undefined) return "waits";
      input.append(Buffer.from(piece, "latin1"));
    }
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.ok(
      !["TypeError", "RangeError", "SyntaxError"].includes(error.name),
      String(error.stack),
    );
    return `error ${error.message}`;
  }
}

for (const [name, { script, replies }] of Object.entries(TUNNELS)) {
  test(`${name} ends alike however the network cuts the reply, and its error tells no password`, (t) => {
    const share = new Share();
    fc.assert(
      fc.property(mutated(replies), (text) => {
        const end = readInPieces(`${text}* OK`, (pieces) => play(script, pieces));
        share.count(end.startsWith("tunnel"));
        assert.ok(!end.startsWith("error") || !end.includes(credentials.password));
      }),
      inputs(2),
    );
    share.assertAbove(0.2, t);
  });
}

test("a certificate that OpenSSL reads has facts without control characters, and any DER ends", (t) => {
  const subject = '/DC=test/O=Acme, "Sons" + Co/OU=a#b/CN=anna';
  const { raw } = new X509Certificate(issue(subject).certificate);
  const share = new Share();
  fc.assert(
    fc.property(mutated(fc.constant(latin1(raw))), (text) => {
      const der = Buffer.from(text, "latin1");
      for (const name of ["subject", "issuer"] as const) nameValues(der, name);
      const certificate = readable(der);
      share.count(certificate !== null);
      if (certificate === null) return;
      const facts = new CertificateFacts(certificate);
      for (const fact of [facts.subject, facts.issuer, facts.serial, facts.fingerprint]) {
        assert.match(fact, /^[\x20-\x7e]*$/);
      }
    }),
    inputs(5),
  );
  share.assertAbove(0.4, t);
});

function readable(der: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(der);
  } catch {
    return null;
  }
}
