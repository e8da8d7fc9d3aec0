import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  InvalidProxyHeader,
  type ProxyHeader,
  readProxyHeader,
} from "../../../proxy/proxy-protocol/parse.ts";
import { Input } from "../../../proxy/transport/index.ts";
import { canonicalIp, parseIp } from "../../../shared/address.ts";
import { inputs } from "../../support/property.ts";

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
  "version 2, LOCAL with addresses, which are not believed": [
    `${SIGNATURE}\x20\x11\0\x0c\xc0\0\x02\x09\xc0\0\x02\x01\xc3\x51\0\x8f`,
    { kind: "local" },
  ],
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
      inputs(),
    );
  });
});

/** A header in latin1, and its meaning. */
interface Sent {
  readonly text: string;
  readonly header: ProxyHeader;
}

const port = fc.integer({ min: 0, max: 65_535 });
const addresses = fc.oneof(
  fc.tuple(fc.constant(4), fc.ipV4(), fc.ipV4()),
  fc.tuple(fc.constant(6), fc.ipV6(), fc.ipV6()).filter(([, ...hosts]) => hosts.every(isIpv6)),
);

function isIpv6(host: string): boolean {
  return parseIp(host)?.kind() === "ipv6";
}

const version1 = fc
  .tuple(addresses, port, port)
  .map(([[family, source, destination], from, to]): Sent => ({
    text: `PROXY TCP${family} ${source} ${destination} ${from} ${to}\r\n`,
    header: proxied(source, from, destination, to),
  }));

const tlvs = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 255 }), fc.string({ unit: "binary", maxLength: 20 }))
    .map(([type, value]) => {
      const bytes = Buffer.from(value).toString("latin1");
      return `${String.fromCharCode(type, bytes.length >> 8, bytes.length & 255)}${bytes}`;
    }),
  { maxLength: 4 },
);

/** LOCAL may have addresses, which say nothing. */
const version2 = fc
  .tuple(fc.boolean(), addresses, port, port, tlvs)
  .map(([isLocal, [family, source, destination], from, to, extra]): Sent => {
    const hosts = [source, destination].map((host) => parseIp(host)?.toByteArray() ?? []);
    const ports = [from >> 8, from & 255, to >> 8, to & 255];
    const rest = Buffer.from([...hosts.flat(), ...ports]).toString("latin1") + extra.join("");
    const head = String.fromCharCode(
      isLocal ? 0x20 : 0x21,
      family === 4 ? 0x11 : 0x21,
      rest.length >> 8,
      rest.length & 255,
    );
    const [one = "", other = ""] = [source, destination].map((host) => canonicalIp(host) ?? "");
    return {
      text: `${SIGNATURE}${head}${rest}`,
      header: isLocal ? { kind: "local" } : proxied(one, from, other, to),
    };
  });

const sent = fc.oneof(version1, version2);

/** Reads a header from bytes that come in pieces. @returns null where more bytes are awaited */
function readPieces(
  text: string,
  sizes: readonly number[],
): { header: ProxyHeader; rest: string } | "refused" | null {
  const input = new Input();
  const script = readProxyHeader(input);
  let at = 0;
  for (let index = 0; at < text.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    input.append(Buffer.from(text.slice(at, at + size), "latin1"));
    at += size;
    try {
      const { done, value } = script.next();
      if (done === true) {
        return {
          header: value,
          rest: Buffer.from(input.rest()).toString("latin1") + text.slice(at),
        };
      }
    } catch (error) {
      assert.ok(error instanceof InvalidProxyHeader, String(error));
      return "refused";
    }
  }
  return null;
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

describe("for any header", () => {
  test("its addresses are read, and the bytes behind it stay, however the network splits it", () => {
    const kinds = new Map<string, number>();
    const { numRuns: runs } = inputs(4);
    fc.assert(
      fc.property(sent, fc.string({ unit: "binary-ascii" }), sizes, (one, rest, pieces) => {
        assert.deepEqual(readPieces(one.text + rest, pieces), { header: one.header, rest });
        assert.deepEqual(readSlowly(one.text), one.header);
        kinds.set(one.header.kind, (kinds.get(one.header.kind) ?? 0) + 1);
      }),
      { numRuns: runs },
    );
    assert.ok((kinds.get("proxied") ?? 0) > runs * 0.4 && (kinds.get("local") ?? 0) > runs / 10);
  });

  test("with other bytes in it, it is refused or names two addresses, however it is split", (t) => {
    const verdicts = { accepted: 0, refused: 0, waiting: 0 };
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 2,
    });
    const { numRuns: runs } = inputs(2);
    fc.assert(
      fc.property(sent, changes, sizes, ({ text }, changed, pieces) => {
        const bytes = Buffer.from(text, "latin1");
        for (const [index, byte] of changed) bytes[index % bytes.length] = byte;
        const altered = bytes.toString("latin1");
        const found = readPieces(altered, [altered.length]);
        assert.deepEqual(readPieces(altered, pieces), found);
        if (found === null) verdicts.waiting++;
        else if (found === "refused") verdicts.refused++;
        else {
          verdicts.accepted++;
          if (found.header.kind === "local") return;
          for (const { host, port: number } of Object.values(found.header.proxied)) {
            assert.notEqual(parseIp(host), null);
            assert.ok(number >= 0 && number <= 65_535);
          }
        }
      }),
      { numRuns: runs },
    );
    t.diagnostic(JSON.stringify(verdicts));
    assert.ok(verdicts.accepted > runs / 10, `${verdicts.accepted} of ${runs} were accepted`);
    assert.ok(verdicts.refused > runs / 10, `${verdicts.refused} of ${runs} were refused`);
  });
});
