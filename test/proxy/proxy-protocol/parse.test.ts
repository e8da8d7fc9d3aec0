import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  InvalidProxyHeader,
  type ProxyHeader,
  readProxyHeader,
} from "../../../proxy/proxy-protocol/parse.ts";
import { Input } from "../../../proxy/transport/index.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

function read(text: string): { header: ProxyHeader | null; rest: string } {
  const input = new Input();
  input.append(Buffer.from(text, "latin1"));
  const { done, value } = readProxyHeader(input).next();
  const header = done === true ? value : null;
  return { header, rest: Buffer.from(input.rest()).toString("latin1") };
}

/** Reads a header byte by byte, and asserts that the last byte completes it. */
function readSlowly(text: string): ProxyHeader | null {
  const input = new Input();
  const script = readProxyHeader(input);
  for (const [index, byte] of Buffer.from(text, "latin1").entries()) {
    input.append(Buffer.of(byte));
    const { done, value } = script.next();
    if (done === true) {
      assert.equal(index, text.length - 1);
      return value;
    }
  }
  return null;
}

function proxied(source: string, port: number, destination: string, at: number): ProxyHeader {
  return {
    kind: "proxied",
    proxied: { source: { host: source, port }, destination: { host: destination, port: at } },
  };
}

function mapped(octets: string): string {
  return `${"\0".repeat(10)}\xff\xff${octets}`;
}

const good: Record<string, [text: string, header: ProxyHeader]> = {
  "version 1, IPv4": [
    "PROXY TCP4 192.0.2.9 192.0.2.1 50001 143\r\n",
    proxied("192.0.2.9", 50001, "192.0.2.1", 143),
  ],
  "version 1, IPv6": [
    "PROXY TCP6 2001:db8::9 2001:db8::1 50001 993\r\n",
    proxied("2001:db8::9", 50001, "2001:db8::1", 993),
  ],
  "version 1, UNKNOWN with other fields behind it": [
    "PROXY UNKNOWN ffff::1 x\r\n",
    { kind: "local" },
  ],
  "version 2, IPv4, with a TLV": [
    `${SIGNATURE}\x21\x11\0\x10\xc0\0\x02\x09\xc0\0\x02\x01\xc3\x51\0\x8f\x04\0\x01x`,
    proxied("192.0.2.9", 50001, "192.0.2.1", 143),
  ],
  "version 2, IPv4-mapped": [
    `${SIGNATURE}\x21\x21\0\x24${mapped("\xc0\0\x02\x09")}${mapped("\xc0\0\x02\x01")}\xc3\x51\0\x8f`,
    proxied("::ffff:192.0.2.9", 50001, "::ffff:192.0.2.1", 143),
  ],
  "version 2, LOCAL": [`${SIGNATURE}\x20\0\0\0`, { kind: "local" }],
  "version 2, a datagram": [`${SIGNATURE}\x21\x12\0\x0c${"\0".repeat(12)}`, { kind: "local" }],
};

describe("a PROXY header", () => {
  for (const [name, [text, header]] of Object.entries(good)) {
    test(`${name}: is parsed, and the bytes behind the header stay in the input`, () => {
      assert.deepEqual(read(`${text}a NOOP\r\n`), { header, rest: "a NOOP\r\n" });
    });
    test(`${name}: is complete with its last byte, where each byte arrives alone`, () => {
      assert.deepEqual(readSlowly(text), header);
    });
  }

  const bad = [
    "a NOOP\r\n",
    "PROXY\r\n",
    "PROXY TCP4 192.0.2.9 192.0.2.1 50001 143\n",
    "PROXY TCP4 192.0.2.9 192.0.2.1 50001 65536\r\n",
    "PROXY TCP4 192.0.2.9 192.0.2.1 50001\r\n",
    "PROXY TCP4 192.0.2.999 192.0.2.1 1 2\r\n",
    "PROXY TCP4 2001:db8::9 2001:db8::1 1 2\r\n",
    "PROXY TCP6 192.0.2.9 192.0.2.1 1 2\r\n",
    "PROXY TCP4 192.0.2.9 192.0.2.1 1 2 3\r\n",
    `PROXY UNKNOWN ${"x".repeat(4096)}\r\n`,
    "PROXIED",
    "\x16\x03\x01",
    `${SIGNATURE}\x31\x11\0\x0c${"\0".repeat(12)}`,
    `${SIGNATURE}\x21\x11\0\x04${"\0".repeat(4)}`,
    `${SIGNATURE}\x21\x11\xff\xff`,
  ];
  for (const text of bad) {
    test(`is refused when it is ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.throws(() => read(text), InvalidProxyHeader);
    });
  }

  test("of version 2 stays in the input until all of it has come, for the log", () => {
    const text = `${SIGNATURE}\x21\x11\0\x0c\xc0\0`;
    const input = new Input();
    input.append(Buffer.from(text, "latin1"));
    assert.equal(readProxyHeader(input).next().value, null);
    assert.equal(input.peek(input.length), text);
  });

  test("of random bytes is refused within 4096 bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        const input = new Input();
        input.append(bytes);
        try {
          if (readProxyHeader(input).next().done !== true) assert.ok(bytes.length < 4096);
        } catch (error) {
          assert.ok(error instanceof InvalidProxyHeader);
        }
      }),
    );
  });
});
