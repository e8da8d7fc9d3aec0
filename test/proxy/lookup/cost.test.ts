// Headers of replies and of relayed lookups that are long to make them expensive.
import assert from "node:assert/strict";
import { test } from "node:test";
import { relayedRequest } from "../../../proxy/lookup/relayed.ts";
import { HeadReader } from "../../../proxy/lookup/reply.ts";
import { Input } from "../../../proxy/transport/index.ts";
import { cost } from "../../support/programs/cost.ts";

/** Text that a hostile peer may repeat. */
const FILLINGS = [
  " ",
  "\t",
  ",",
  " ,",
  ", ",
  "=",
  '"',
  "%",
  "a",
  "a,",
  "[",
  ":",
  ".",
  "0x",
  "\xff",
];

const NAMES = [
  "X",
  "Auth-Status",
  "Auth-Server",
  "Auth-Port",
  "Auth-Fallback",
  "Auth-Upstream-Name",
  "Auth-User",
  "Auth-Pass",
  "Auth-Wait",
  "Auth-Error-SASL",
  "Cache-Control",
  "Content-Length",
];

const LENGTH = 15_000;

const endpoint = { https: false, uri: "/auth", hostHeader: "x", host: "127.0.0.1", port: 80 };

/** A whole reply: a yes with one more header. */
function read(header: string): void {
  const input = new Input();
  const yes = "Auth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: 143\r\n";
  input.append(Buffer.from(`HTTP/1.1 200 OK\r\n${yes}${header}\r\n\r\n`, "latin1"));
  try {
    new HeadReader(true).next(input);
  } catch {
    // A refusal is an answer, too.
  }
}

for (const [what, work] of [
  ["a reply", read],
  [
    "a relayed lookup",
    (header: string) => relayedRequest(["GET /auth HTTP/1.0", header], endpoint, true),
  ],
] as const) {
  test(`no header of ${what} costs much more than others of its length`, () => {
    for (const name of NAMES) {
      const ordinary = cost(() => work(`${name}: ${"x".repeat(LENGTH)}`), 5);
      for (const filling of FILLINGS) {
        for (const end of ["", "x"]) {
          const header = `${name}: a${filling.repeat(LENGTH / filling.length)}${end}`;
          const taken = cost(() => work(header), 5);
          const text = `${name}: a${filling}…${end}: ${taken} ms, not ${ordinary} ms`;
          assert.ok(taken < 10 + ordinary * 50, text);
        }
      }
    }
  });
}
