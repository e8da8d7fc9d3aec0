import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { type TestContext, describe, test } from "node:test";
import { TRUNCATED_RESPONSE } from "dns-packet";
import { parseIp } from "../../../shared/address.ts";
import {
  type DnsRecord,
  type NameServer,
  NXDOMAIN,
  type Query,
  SERVFAIL,
  type Say,
  answer,
  startNameServer,
  zone,
} from "../../support/peers/name-server.ts";
import { options, resolverOf } from "../../support/proxy/resolver.ts";

const CLIENT = parseIp("192.0.2.9")!;
const PTR = "PTR 9.2.0.192.in-addr.arpa";
const NAME: readonly DnsRecord[] = [{ type: "PTR", data: "mx.example.test" }];

/** ms without a response after which the next server is asked. */
const HASTY = { repeat: 100 };

/** Starts a name server that is closed when the test ends. */
async function nameServer(t: TestContext, say: Say): Promise<NameServer> {
  const server = await startNameServer(say);
  t.after(() => server.close());
  return server;
}

const right: Say = (query) => [answer(query, NAME)];
const silent: Say = () => [];

function questions(queries: readonly Query[]): string[] {
  return queries.map(({ over, type, name }) => `${over} ${type} ${name}`);
}

describe("finds", { concurrency: true }, () => {
  test("the first name of an address", async (t) => {
    const server = await nameServer(t, zone({ [PTR]: [...NAME, { type: "PTR", data: "other" }] }));
    const resolver = resolverOf([server]);
    assert.equal(await resolver.reverse(CLIENT, options()), "mx.example.test");
  });

  const both = {
    "A mx.example.test": [{ type: "A", data: "192.0.2.9" }],
    "AAAA mx.example.test": [{ type: "AAAA", data: "2001:db8::9" }],
  } as const;
  const FAMILIES = [
    [true, false, ["192.0.2.9"]],
    [false, true, ["2001:db8::9"]],
    [true, true, ["192.0.2.9", "2001:db8::9"]],
  ] as const;
  for (const [ipv4, ipv6, addresses] of FAMILIES) {
    test(`a name's addresses with ipv4=${ipv4} ipv6=${ipv6}`, async (t) => {
      const server = await nameServer(t, zone(both));
      const resolver = resolverOf([server], { ipv4, ipv6 });
      assert.deepEqual(await resolver.forward("MX.example.test", options()), addresses);
      assert.equal(server.queries.length, addresses.length);
    });
  }

  test("addresses of one family where the other has none", async (t) => {
    const six = both["AAAA mx.example.test"];
    const server = await nameServer(
      t,
      zone({ "AAAA mx.example.test": six, "A mx.example.test": [] }),
    );
    const resolver = resolverOf([server], { ipv6: true });
    assert.deepEqual(await resolver.forward("mx.example.test", options()), ["2001:db8::9"]);
  });

  test("the addresses of an alias, through several CNAMEs", async (t) => {
    const server = await nameServer(
      t,
      zone({
        "A www.example.test": [{ type: "CNAME", data: "web.example.test" }],
        "A web.example.test": [
          { type: "CNAME", data: "host.example.test" },
          { type: "A", data: "192.0.2.1", name: "host.example.test" },
        ],
      }),
    );
    const resolver = resolverOf([server]);
    assert.deepEqual(await resolver.forward("www.example.test", options()), ["192.0.2.1"]);
  });

  test("an answer over TCP where it does not fit a datagram", async (t) => {
    const server = await nameServer(t, (query) => [
      answer(query, NAME, query.over === "udp" ? TRUNCATED_RESPONSE : 0),
    ]);
    assert.equal(await resolverOf([server]).reverse(CLIENT, options()), "mx.example.test");
    assert.deepEqual(questions(server.queries), [`udp ${PTR}`, `tcp ${PTR}`]);
  });
});

describe("does not find", { concurrency: true }, () => {
  const FAILURES: Record<string, readonly [entry: number | [], message: string]> = {
    "a name that does not exist": [NXDOMAIN, "3: Host not found"],
    "a name without such records": [[], "3: Host not found"],
    "a name at which the server fails": [SERVFAIL, "2: Server failure"],
    "a name, if the server does not implement the query": [4, "4: Unimplemented"],
    "a name, if the server refuses the query": [5, "5: Operation refused"],
  };
  for (const [what, [entry, message]] of Object.entries(FAILURES)) {
    test(what, async (t) => {
      const server = await nameServer(t, zone({ [PTR]: entry, "A mx.example.test": entry }));
      const resolver = resolverOf([server]);
      await assert.rejects(resolver.reverse(CLIENT, options()), { message });
      await assert.rejects(resolver.forward("mx.example.test", options()), { message });
    });
  }

  test("a name that does not exist in one family", async (t) => {
    const server = await nameServer(
      t,
      zone({ "A x.test": [{ type: "A", data: "192.0.2.1" }], "AAAA x.test": NXDOMAIN }),
    );
    const resolver = resolverOf([server], { ipv6: true });
    await assert.rejects(resolver.forward("x.test", options()), { message: "3: Host not found" });
  });

  test("a name for which the server fails in one family", async (t) => {
    const server = await nameServer(
      t,
      zone({ "A x.test": SERVFAIL, "AAAA x.test": [{ type: "AAAA", data: "::2" }] }),
    );
    const resolver = resolverOf([server], { ipv6: true });
    await assert.rejects(resolver.forward("x.test", options()), { message: "2: Server failure" });
  });

  test("names that no message can hold, and does not ask for them", async (t) => {
    const server = await nameServer(t, silent);
    for (const name of ["", "a..b", `${"x".repeat(64)}.test`]) {
      const found = resolverOf([server]).forward(name, options());
      await assert.rejects(found, { message: "3: Host not found" });
    }
    assert.deepEqual(server.queries, []);
  });

  test("the end of a circle of aliases", async (t) => {
    const server = await nameServer(t, (query) => [
      answer(query, [{ type: "CNAME", data: query.name === "a.test" ? "b.test" : "a.test" }]),
    ]);
    const found = resolverOf([server]).forward("a.test", options());
    await assert.rejects(found, { message: "3: Host not found" });
    assert.equal(server.queries.length, 51);
  });

  test("a name without a response in time", async (t) => {
    const server = await nameServer(t, silent);
    const found = resolverOf([server]).reverse(CLIENT, options(150));
    await assert.rejects(found, { message: "110: Operation timed out" });
  });
});

describe("waits for a better answer, and asks the next server,", { concurrency: true }, () => {
  const other = { type: "A", name: "x.test", id: 1 };
  const USELESS: Record<string, Say> = {
    "where the first is silent": silent,
    "where the response has another id": ({ id, ...query }) => [
      answer({ ...query, id: id ^ 1 }, NAME),
    ],
    "where the response has another question": ({ id }) => [answer({ ...other, id }, NAME)],
    "where the response has no PTR record": (query) => [
      answer(query, [{ type: "CNAME", data: "x.test" }]),
    ],
    "where the first answers with a format error": (query) => [answer(query, [], 1)],
    "where the first does not speak DNS": () => [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    "where the first sends two bytes": ({ id }) => [Buffer.from([id >> 8, id & 0xff])],
    "where the response over TCP is truncated as well": (query) => [
      answer(query, [], TRUNCATED_RESPONSE),
    ],
    "where the server is silent over TCP": (query) =>
      query.over === "udp" ? [answer(query, [], TRUNCATED_RESPONSE)] : [],
    "where the server does not speak DNS over TCP": (query) =>
      query.over === "udp" ? [answer(query, [], TRUNCATED_RESPONSE)] : [Buffer.alloc(7)],
    "where the response over TCP is too long": (query) =>
      query.over === "udp" ? [answer(query, [], TRUNCATED_RESPONSE)] : [Buffer.alloc(60_000)],
  };
  for (const [what, say] of Object.entries(USELESS)) {
    test(what, async (t) => {
      const servers = [await nameServer(t, say), await nameServer(t, right)];
      const resolver = resolverOf(servers, {}, HASTY);
      assert.equal(await resolver.reverse(CLIENT, options()), "mx.example.test");
      assert.deepEqual(new Set(questions(servers[1]!.queries)), new Set([`udp ${PTR}`]));
    });
  }

  test("and takes a right response behind a wrong one", async (t) => {
    const server = await nameServer(t, (query) => [
      answer({ ...query, id: query.id ^ 1 }, [{ type: "PTR", data: "evil.test" }]),
      Buffer.from("garbage"),
      answer(query, NAME),
    ]);
    const resolver = resolverOf([server]);
    assert.equal(await resolver.reverse(CLIENT, options()), "mx.example.test");
  });

  test("and takes a late response of the server that was asked first", async (t) => {
    let held: Query | null = null;
    const first = await nameServer(t, (query) => {
      if (held === null) {
        held = query;
        return [];
      }
      // The same question from the same port, so that this answers the first one.
      assert.equal(query.id, held.id);
      return [answer(held, NAME)];
    });
    const second = await nameServer(t, silent);
    const resolver = resolverOf([first, second], {}, HASTY);
    assert.equal(await resolver.reverse(CLIENT, options()), "mx.example.test");
    assert.notEqual(second.queries.length, 0);
  });

  test("and asks a server that is down as often as any other", async (t) => {
    const gone = await startNameServer(silent);
    await gone.close();
    const resolver = resolverOf([gone, await nameServer(t, right)], {}, HASTY);
    assert.equal(await resolver.reverse(CLIENT, options()), "mx.example.test");
  });
});

test("a response from another address than the server's is ignored", async (t) => {
  const stranger = createSocket("udp4");
  t.after(() => stranger.close());
  const evil: readonly DnsRecord[] = [{ type: "PTR", data: "evil.test" }];
  const server = await nameServer(t, (query) => {
    // Sent first, and received first, since both come over loopback.
    stranger.send(answer(query, evil), query.from, "127.0.0.1");
    return [answer(query, NAME)];
  });
  assert.equal(await resolverOf([server]).reverse(CLIENT, options()), "mx.example.test");
});

test("questions go to the servers in turn, each from a port of its own and with an id of its own", async (t) => {
  const servers = await Promise.all([1, 2, 3].map(() => nameServer(t, right)));
  const resolver = resolverOf(servers);
  for (let last = 1; last <= 30; last++) {
    await resolver.reverse(parseIp(`192.0.2.${last}`)!, options());
  }
  assert.deepEqual(
    servers.map(({ queries }) => queries.map(({ name }) => Number(name.split(".")[0]) % 3)),
    [1, 2, 0].map((remainder) => Array.from({ length: 10 }, () => remainder)),
  );
  const queries = servers.flatMap((server) => server.queries);
  const ids = new Set(queries.map(({ id }) => id));
  assert.ok(ids.size > 25, `${ids.size} ids`);
  const ports = new Set(queries.map(({ from }) => from));
  assert.ok(ports.size > 25, `${ports.size} ports`);
});

describe("an answer is kept", { concurrency: true }, () => {
  /** Times in seconds after the first question; true if the question is asked again then. */
  const AGES: Record<
    string,
    { ttl: number; valid?: number; ages: [at: number, asked: boolean][] }
  > = {
    "for its TTL": {
      ttl: 60,
      ages: [
        [59, false],
        [61, true],
      ],
    },
    "for valid=, if that is more": {
      ttl: 60,
      valid: 300,
      ages: [
        [299, false],
        [301, true],
      ],
    },
    "for valid=, if that is less": {
      ttl: 60,
      valid: 10,
      ages: [
        [9, false],
        [11, true],
      ],
    },
    "not at all with a TTL of 0": { ttl: 0, ages: [[0, true]] },
  };
  for (const [how, { ttl, valid = 0, ages }] of Object.entries(AGES)) {
    test(how, async (t) => {
      const say = zone({
        [PTR]: [{ type: "PTR", data: "mx.example.test", ttl }],
        "A mx.example.test": [{ type: "A", data: "192.0.2.9", ttl }],
      });
      const server = await nameServer(t, say);
      let now = 1_000_000;
      const resolver = resolverOf([server], { valid }, { clock: { now: () => now } });
      const askedNow = async (): Promise<number> => {
        const before = server.queries.length;
        assert.equal(await resolver.reverse(CLIENT, options()), "mx.example.test");
        assert.deepEqual(await resolver.forward("mx.example.test", options()), ["192.0.2.9"]);
        return server.queries.length - before;
      };
      assert.equal(await askedNow(), 2);
      for (const [at, asked] of ages) {
        now = 1_000_000 + at * 1000;
        assert.equal(await askedNow(), asked ? 2 : 0, `after ${at} s`);
      }
    });
  }

  test("for the shortest TTL of the chain of aliases", async (t) => {
    const server = await nameServer(
      t,
      zone({
        "A a.test": [{ type: "CNAME", data: "b.test", ttl: 10 }],
        "A b.test": [{ type: "A", data: "192.0.2.1", ttl: 100 }],
      }),
    );
    let now = 1000;
    const resolver = resolverOf([server], {}, { clock: { now: () => now } });
    await resolver.forward("a.test", options());
    now += 11_000;
    await resolver.forward("a.test", options());
    assert.equal(server.queries.length, 4);
  });

  test("unless it is a failure", async (t) => {
    const server = await nameServer(t, zone({}));
    const resolver = resolverOf([server]);
    for (let times = 1; times <= 2; times++) {
      await assert.rejects(resolver.reverse(CLIENT, options()), { message: "3: Host not found" });
      assert.equal(server.queries.length, times);
    }
  });
});

describe("a name that several callers ask for at once", { concurrency: true }, () => {
  test("is asked once", async (t) => {
    const server = await nameServer(t, right);
    const resolver = resolverOf([server]);
    const names = Array.from({ length: 10 }, () => resolver.reverse(CLIENT, options()));
    assert.deepEqual(new Set(await Promise.all(names)), new Set(["mx.example.test"]));
    assert.equal(server.queries.length, 1);
  });

  test("is found for the callers that stay when one leaves", async (t) => {
    let asked: Query | null = null;
    const server = await nameServer(t, (query) => {
      const again = asked !== null;
      asked = query;
      return again ? [answer(query, NAME)] : [];
    });
    const resolver = resolverOf([server], {}, HASTY);
    const leaver = new AbortController();
    const left = resolver.reverse(CLIENT, options(0, leaver.signal));
    const stays = resolver.reverse(CLIENT, options());
    await server.asked(1);
    leaver.abort(new Error("gone"));
    await assert.rejects(left, { message: "gone" });
    assert.equal(await stays, "mx.example.test");
  });

  test("is asked no longer when all have left", async (t) => {
    let answers = false;
    const server = await nameServer(t, (query) => (answers ? [answer(query, NAME)] : []));
    const resolver = resolverOf([server]);
    const leaver = new AbortController();
    const all = [1, 2].map(() => resolver.reverse(CLIENT, options(0, leaver.signal)));
    await server.asked(1);
    leaver.abort(new Error("gone"));
    for (const each of all) await assert.rejects(each, { message: "gone" });
    answers = true;
    assert.equal(await resolver.reverse(CLIENT, options()), "mx.example.test");
    assert.equal(server.queries.length, 2);
    assert.notEqual(server.queries[0]!.id, server.queries[1]!.id);
  });

  test("is not asked for by a caller that has left already", async (t) => {
    const server = await nameServer(t, right);
    const found = resolverOf([server]).reverse(
      CLIENT,
      options(0, AbortSignal.abort(new Error("gone"))),
    );
    await assert.rejects(found, { message: "gone" });
  });
});

test("with a thousand lookups under way, the next one fails", async (t) => {
  const server = await nameServer(t, silent);
  const resolver = resolverOf([server]);
  const leaver = new AbortController();
  const busy = Array.from({ length: 1000 }, (_, index) =>
    resolver.forward(`host${index}.test`, options(0, leaver.signal)),
  );
  const message = "11: Resource temporarily unavailable";
  await assert.rejects(resolver.reverse(CLIENT, options()), { message });
  leaver.abort(new Error("gone"));
  for (const each of busy) await assert.rejects(each, { message: "gone" });
});
