import assert from "node:assert/strict";
import { test } from "node:test";
import { configureProtocol } from "../../../proxy/protocols/index.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { cost } from "../../support/programs/cost.ts";
import { ProtocolClient } from "../../support/proxy/protocol-client.ts";
import { serverSettings } from "../../support/proxy/settings.ts";

/** Text that a hostile client may repeat to make a line expensive. */
const FILLINGS = [" ", '"', "\\", "=", "A", "{", "\0", "\r", "\t", "a ", '" ', '\\"'];

/** The beginnings of lines. Where one has a line end, its first line is sent before. */
const BEGINNINGS: Record<ProtocolName, readonly string[]> = {
  imap: [
    "",
    "a ",
    "a NOOP ",
    "a LOGIN ",
    'a LOGIN "',
    "a AUTHENTICATE PLAIN ",
    "a AUTHENTICATE PLAIN\r\n",
  ],
  pop3: ["", "USER ", "AUTH ", "AUTH PLAIN ", "AUTH PLAIN\r\n"],
  smtp: ["", "NOOP ", "EHLO ", "MAIL ", "AUTH PLAIN ", "AUTH PLAIN\r\n"],
};

for (const protocol of ["imap", "pop3", "smtp"] as const) {
  test(`no ${protocol} line costs much more than others of its length`, () => {
    const configured = configureProtocol(serverSettings(protocol));
    const long = (beginning: string): number =>
      beginning.includes("PLAIN") ? 12_000 : protocol === "pop3" ? 500 : 4000;
    const take = (line: string): number =>
      cost(() => new ProtocolClient(configured, false).send(line), 5);
    for (const beginning of BEGINNINGS[protocol]) {
      const ordinary = take(`${beginning}${"x".repeat(long(beginning))}\r\n`);
      for (const filling of FILLINGS) {
        for (const end of ["", "x"]) {
          const line = `${beginning}${filling.repeat(long(beginning) / filling.length)}${end}\r\n`;
          const taken = take(line);
          const what = `${JSON.stringify(beginning + filling)}…${end}: ${taken} ms, not ${ordinary} ms`;
          assert.ok(taken < 2 + ordinary * 50, what);
        }
      }
    }
  });
}
