import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TRUNCATED_RESPONSE, encode } from "dns-packet";
import fc from "fast-check";
import {
  type QuestionType,
  TRUNCATED,
  decodeResponse,
  encodeQuestion,
  isAskable,
  reverseName,
} from "../../../proxy/resolver/message.ts";
import { parseIp } from "../../../shared/address.ts";
import { type DnsRecord, answer } from "../../support/peers/name-server.ts";
import { inputs } from "../../support/property.ts";

const ID = 0x1234;
const ptr = { id: ID, type: "PTR", name: "9.2.0.192.in-addr.arpa" } as const;
const a = { id: ID, type: "A", name: "mx.example.test" } as const;
const aaaa = { ...a, type: "AAAA" } as const;

const name: DnsRecord = { type: "PTR", data: "mx.example.test" };
const alias: DnsRecord = { type: "CNAME", data: "Other.example.test" };

function said(
  question: { id: number; type: QuestionType; name: string },
  records: readonly DnsRecord[],
  flags?: number,
): ReturnType<typeof decodeResponse> {
  return decodeResponse(answer(question, records, flags), question);
}

test("a question has the form of RFC 1035, with recursion desired", () => {
  assert.equal(
    Buffer.from(encodeQuestion(a)).toString("latin1"),
    "\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x02mx\x07example\x04test\0\0\x01\0\x01",
  );
});

test("addresses have their names in in-addr.arpa and ip6.arpa", () => {
  assert.equal(reverseName(parseIp("192.0.2.9")!), "9.2.0.192.in-addr.arpa");
  assert.equal(
    reverseName(parseIp("2001:db8::567:89ab")!),
    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
  );
  assert.equal(reverseName(parseIp("::ffff:192.0.2.9")!), "9.2.0.192.in-addr.arpa");
});

test("names that no message can hold are not asked for", () => {
  for (const good of ["a", "mx.example.test", "x".repeat(63), "_a.b-c"]) assert.ok(isAskable(good));
  for (const bad of [
    "",
    ".",
    "a..b",
    "a.",
    ".a",
    "x".repeat(64),
    "a b",
    "\xe4",
    "a.".repeat(126) + "bc",
  ]) {
    assert.ok(!isAskable(bad), bad);
  }
});

describe("a response is read", () => {
  const found = (values: string[], ttl = 60) => ({ code: 0, values, alias: null, ttl });

  test("for names and addresses", () => {
    assert.deepEqual(said(ptr, [name]), found(["mx.example.test"]));
    assert.deepEqual(said(a, [{ type: "A", data: "192.0.2.9" }]), found(["192.0.2.9"]));
    const six: DnsRecord = { type: "AAAA", data: "2001:DB8:0:0::9" };
    assert.deepEqual(said(aaaa, [six]), found(["2001:db8::9"]));
  });

  test("with all its records, and the shortest of their TTLs", () => {
    const records: DnsRecord[] = [
      { type: "A", data: "192.0.2.1", ttl: 300 },
      { type: "A", data: "192.0.2.2", ttl: 20 },
    ];
    assert.deepEqual(said(a, records), found(["192.0.2.1", "192.0.2.2"], 20));
  });

  test("in small letters", () => {
    assert.deepEqual(
      said(ptr, [{ type: "PTR", data: "MX.Example.TEST" }]),
      found(["mx.example.test"]),
    );
    const shouted = answer({ ...a, name: "MX.EXAMPLE.TEST" }, [{ type: "A", data: "192.0.2.9" }]);
    assert.deepEqual(decodeResponse(shouted, a), found(["192.0.2.9"]));
  });

  test("with a CNAME in front of the records asked for", () => {
    assert.deepEqual(said(ptr, [alias, name]), {
      ...found(["mx.example.test"]),
      alias: "other.example.test",
    });
  });

  test("as an alias if there is only a CNAME", () => {
    assert.deepEqual(said(a, [alias]), { ...found([]), alias: "other.example.test" });
  });

  test("with an empty name for the root", () => {
    assert.deepEqual(said(ptr, [{ type: "PTR", data: "." }]), found([""]));
  });

  test("with a TTL of 0 if its highest bit is set", () => {
    assert.deepEqual(said(ptr, [{ ...name, ttl: 0x8000_0000 }]), found(["mx.example.test"], 0));
  });

  test("without records", () => {
    assert.deepEqual(said(a, []), found([], 0));
  });

  for (const code of [2, 3, 4, 5]) {
    test(`with response code ${code}, even beside records`, () => {
      assert.deepEqual(said(ptr, [name], code), { ...found([], 0), code });
    });
  }

  test("as truncated, even within a record", () => {
    const whole = answer(ptr, [name, name], TRUNCATED_RESPONSE);
    assert.equal(decodeResponse(whole, ptr), TRUNCATED);
    assert.equal(decodeResponse(whole.subarray(0, whole.length - 5), ptr), TRUNCATED);
  });

  test("without a look at the other sections", () => {
    const bytes = answer(ptr, [name]);
    bytes.fill(0xff, 8, 12);
    assert.deepEqual(decodeResponse(bytes, ptr), found(["mx.example.test"]));
  });
});

describe("a response is ignored:", () => {
  const question = { type: "PTR", name: ptr.name } as const;
  const record = { ...name, name: ptr.name } as const;
  const CASES: Record<string, Uint8Array> = {
    "one with another id": answer({ ...ptr, id: ID + 1 }, [name]),
    "one to another name": answer({ ...ptr, name: "8.2.0.192.in-addr.arpa" }, [name]),
    "one to another type": answer({ ...ptr, type: "A" }, [name]),
    "one of another class": encode({
      type: "response",
      id: ID,
      questions: [{ ...question, class: "CH" }],
      answers: [record],
    }),
    "one with records of another class": encode({
      type: "response",
      id: ID,
      questions: [question],
      answers: [{ ...record, class: "CH" }],
    }),
    "one without the question": encode({ type: "response", id: ID, answers: [record] }),
    "one with two questions": encode({
      type: "response",
      id: ID,
      questions: [question, question],
      answers: [record],
    }),
    "a question": encode({ type: "query", id: ID, questions: [question], answers: [record] }),
    "one to another kind of request": answer(ptr, [name], 2 << 11),
    "a format error": answer(ptr, [], 1),
    "an unknown response code": answer(ptr, [], 9),
    "one without a PTR record": answer(ptr, [alias]),
    "nothing at all": new Uint8Array(),
    "a header alone": answer(ptr, [name]).subarray(0, 12),
    "a name that points at itself": Buffer.concat([
      answer(ptr, []).subarray(0, 6),
      Buffer.from("\0\x01\0\0\0\0\xc0\x0c\0\x0c\0\x01", "latin1"),
    ]),
  };
  for (const [what, bytes] of Object.entries(CASES)) {
    test(what, () => assert.equal(decodeResponse(bytes, ptr), null));
  }

  test("one that is cut off within an address, at any byte", () => {
    const whole = answer(aaaa, [{ type: "AAAA", data: "2001:db8::9" }]);
    for (let length = 0; length < whole.length; length++) {
      assert.equal(decodeResponse(whole.subarray(0, length), aaaa), null, `${length}`);
    }
  });
});

test("any bytes are a response, or ignored, and never throw", () => {
  const valid = answer(a, [alias, { type: "A", data: "192.0.2.9" }]);
  const header = valid.subarray(0, 12);
  const changed = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 8 })
    .map((changes) => {
      const bytes = Buffer.from(valid);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  const behindHeader = fc
    .uint8Array({ maxLength: 200 })
    .map((rest) => Buffer.concat([header, rest]));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), behindHeader, changed), (bytes) => {
      const before = Buffer.from(bytes);
      const heard = decodeResponse(bytes, a);
      if (heard !== null && heard !== TRUNCATED) {
        for (const value of heard.values) assert.notEqual(parseIp(value), null);
        assert.ok(heard.ttl >= 0 && heard.ttl <= 0x7fff_ffff);
      }
      assert.deepEqual(Buffer.from(bytes), before);
    }),
    inputs(),
  );
});
