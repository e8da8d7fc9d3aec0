import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { configureProtocol } from "../../../proxy/protocols/index.ts";
import { ProtocolClient } from "../../support/proxy/protocol-client.ts";
import { serverSettings } from "../../support/proxy/settings.ts";
import { inputs } from "../../support/property.ts";

/** Small buffers, so that limits come into play. */
const changes = {
  imap_client_buffer: 96,
  smtp_client_buffer: 96,
  max_errors: 4,
  max_commands: 12,
  proxy_client_id: true,
};

const base64 = fc.oneof(
  fc.constantFrom("AGFubmEAc2VjcmV0", "YW5uYQ==", "", "*", "!", "="),
  fc.string({ maxLength: 200, unit: fc.constantFrom("A", "b", "=", "+") }),
);
const text = fc.string({
  maxLength: 120,
  unit: fc.constantFrom("x", " ", '"', "\\", "{", "\0", "\xe4"),
});
const verb = (...words: string[]): fc.Arbitrary<string> => fc.constantFrom(...words);
const end = fc.constantFrom("\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n", "");

const literal = fc
  .tuple(fc.string({ maxLength: 120, unit: "binary-ascii" }), fc.constantFrom("", "+"), fc.nat(9))
  .map(([value, plus, wrong]) => `{${value.length + (wrong === 0 ? 1 : 0)}${plus}}\r\n${value}`);
const argument = fc.oneof(fc.constantFrom("anna", '"an na"', '""', '"a\\"b"'), text, literal);
const tag = fc.constantFrom("a", "b1", "", "?", "long-tag-of-many-characters.....");

const lines = {
  imap: fc.oneof(
    fc
      .tuple(
        tag,
        verb("LOGIN", "login", "NOOP", "CAPABILITY", "SELECT", "ID"),
        fc.array(argument, { maxLength: 4 }),
        end,
      )
      .map(([start, name, args, stop]) => `${[start, name, ...args].join(" ")}${stop}`),
    fc
      .tuple(tag, verb("PLAIN", "LOGIN", "X"), fc.oneof(base64, literal), end)
      .map(([start, name, response, stop]) => `${start} AUTHENTICATE ${name} ${response}${stop}`),
    fc.tuple(base64, end).map(([response, stop]) => `${response}${stop}`),
  ),
  pop3: fc.oneof(
    fc
      .tuple(
        verb("USER", "PASS", "user", "NOOP", "CAPA", "AUTH", "STAT", "QUI", "XCLIENT"),
        text,
        end,
      )
      .map(([name, word, stop]) => `${name} ${word}${stop}`),
    fc
      .tuple(verb("PLAIN", "LOGIN"), base64, end)
      .map(([name, response, stop]) => `AUTH ${name} ${response}${stop}`),
    fc.tuple(base64, end).map(([response, stop]) => `${response}${stop}`),
    fc.constantFrom("x".repeat(511), "USER ".padEnd(600, "x"), "AUTH PLAIN ".padEnd(700, "A")),
  ),
  smtp: fc.oneof(
    fc
      .tuple(
        verb("EHLO", "HELO", "MAIL", "RCPT", "NOOP", "RSET", "HELP", "DATA", "ehlo", "XCLIENT"),
        text,
        end,
      )
      .map(([name, word, stop]) => `${name} ${word}${stop}`),
    fc
      .tuple(verb("PLAIN", "LOGIN"), base64, end)
      .map(([name, response, stop]) => `AUTH ${name} ${response}${stop}`),
    fc.tuple(base64, end).map(([response, stop]) => `${response}${stop}`),
  ),
};

for (const name of ["imap", "pop3", "smtp"] as const) {
  const protocol = configureProtocol(serverSettings(name, changes));
  const transcript = fc.array(lines[name], { maxLength: 12 }).map((parts) => parts.join(""));

  /** The steps to which these pieces lead, one after another. */
  const steps = (pieces: readonly string[]): string => {
    const client = new ProtocolClient(protocol, false);
    const told = JSON.stringify(pieces.flatMap((piece) => client.send(piece)));
    // The log names a command that is too long where its name has arrived by then.
    return told.replace(/(too long command) \\"\w*\\"/, "$1");
  };

  describe(name, () => {
    test("a transcript leads to the same steps whole and byte by byte", () => {
      fc.assert(
        fc.property(transcript, (whole) => {
          assert.equal(steps(whole.split("")), steps([whole]));
        }),
        inputs(5),
      );
    });

    test("a transcript leads to the same steps wherever the network splits it", () => {
      const cuts = fc.array(fc.nat(), { maxLength: 20 });
      fc.assert(
        fc.property(transcript, cuts, (whole, places) => {
          const at = places.map((place) => place % (whole.length + 1)).toSorted((a, b) => a - b);
          const pieces = [0, ...at].map((from, index) =>
            whole.slice(from, at[index] ?? whole.length),
          );
          assert.equal(steps(pieces), steps([whole]));
        }),
        inputs(5),
      );
    });

    test("any bytes lead to steps or to waiting, and at most 12,288 bytes are held", () => {
      const bytes = fc.string({
        unit: fc.nat(255).map((code) => String.fromCharCode(code)),
        maxLength: 2000,
      });
      const pieces = fc.array(fc.oneof(bytes, lines[name]), { maxLength: 20 });
      fc.assert(
        fc.property(pieces, (sent) => {
          const client = new ProtocolClient(protocol, false);
          for (const piece of sent) {
            for (const step of client.send(piece)) if (step.kind === "farewell") return;
            assert.ok(client.held <= 12_288, `${client.held} bytes are held`);
          }
        }),
        inputs(5),
      );
    });
  });
}
