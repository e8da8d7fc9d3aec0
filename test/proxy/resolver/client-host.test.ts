import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { clientHost } from "../../../proxy/resolver/index.ts";
import type { Resolver } from "../../../proxy/resolver/index.ts";
import {
  type Entry,
  type NameServer,
  NXDOMAIN,
  SERVFAIL,
  startNameServer,
  zone,
} from "../../support/peers/name-server.ts";
import { options, resolverOf } from "../../support/proxy/resolver.ts";

const UNAVAILABLE = "[UNAVAILABLE]";
const TEMPUNAVAIL = "[TEMPUNAVAIL]";

type Case = {
  readonly ptr: Entry;
  readonly a?: Entry;
  readonly host: string;
  /** The message in the log; none unless given. */
  readonly logged?: string;
};

const ptr = (data: string): Entry => [{ type: "PTR", data }];
const a = (...addresses: string[]): Entry => addresses.map((data) => ({ type: "A", data }));

/** Each case has an address of its own, 192.0.2.N. CLIENT stands for N, and HOST for `N.test`. */
const CASES: Record<string, Case> = {
  "a name that resolves to the client": {
    ptr: ptr("hHOST"),
    a: a("192.0.2.CLIENT"),
    host: "hHOST",
  },
  "a name in capitals": { ptr: ptr("HHOST"), a: a("192.0.2.CLIENT"), host: "hHOST" },
  "a name with more addresses": {
    ptr: ptr("hHOST"),
    a: a("192.0.2.200", "192.0.2.CLIENT"),
    host: "hHOST",
  },
  "a name that resolves to another address": {
    ptr: ptr("hHOST"),
    a: a("192.0.2.200"),
    host: UNAVAILABLE,
  },
  "an address without a name": {
    ptr: NXDOMAIN,
    host: UNAVAILABLE,
    logged: "address: 192.0.2.CLIENT could not be resolved (3: Host not found)",
  },
  "an address with no PTR record": {
    ptr: [],
    host: UNAVAILABLE,
    logged: "address: 192.0.2.CLIENT could not be resolved (3: Host not found)",
  },
  "an address at which the server fails": {
    ptr: SERVFAIL,
    host: TEMPUNAVAIL,
    logged: "address: 192.0.2.CLIENT could not be resolved (2: Server failure)",
  },
  "an address without a response": {
    ptr: "silence",
    host: TEMPUNAVAIL,
    logged: "address: 192.0.2.CLIENT could not be resolved (110: Operation timed out)",
  },
  "an address with an alias and no name": {
    ptr: [{ type: "CNAME", data: "x.test" }],
    host: TEMPUNAVAIL,
    logged: "address: 192.0.2.CLIENT could not be resolved (110: Operation timed out)",
  },
  "a name that does not exist": {
    ptr: ptr("hHOST"),
    a: NXDOMAIN,
    host: UNAVAILABLE,
    logged: 'hostname: "hHOST" could not be resolved (3: Host not found)',
  },
  "a name without addresses": {
    ptr: ptr("hHOST"),
    a: [],
    host: UNAVAILABLE,
    logged: 'hostname: "hHOST" could not be resolved (3: Host not found)',
  },
  "a name that the server refuses to resolve": {
    ptr: ptr("hHOST"),
    a: 5,
    host: TEMPUNAVAIL,
    logged: 'hostname: "hHOST" could not be resolved (5: Operation refused)',
  },
  "a name without a response": {
    ptr: ptr("hHOST"),
    a: "silence",
    host: TEMPUNAVAIL,
    logged: 'hostname: "hHOST" could not be resolved (110: Operation timed out)',
  },
  "a name with a line end": {
    ptr: ptr("h\r\nHOST"),
    host: TEMPUNAVAIL,
    logged: 'address: 192.0.2.CLIENT resolved to invalid host name "h\r\nHOST"',
  },
  "a name with an underscore": {
    ptr: ptr("h_HOST"),
    a: a("192.0.2.CLIENT"),
    host: TEMPUNAVAIL,
    logged: 'address: 192.0.2.CLIENT resolved to invalid host name "h_HOST"',
  },
  "an empty name": {
    ptr: ptr("."),
    host: TEMPUNAVAIL,
    logged: 'address: 192.0.2.CLIENT resolved to invalid host name ""',
  },
};

/** Puts the names and addresses of a case in. */
function own<Value>(value: Value, index: number): Value {
  const text = JSON.stringify(value)
    .replaceAll("HOST", `${index}.test`)
    .replaceAll("CLIENT", `${index}`);
  return JSON.parse(text) as Value;
}

let server: NameServer;
let resolver: Resolver;
before(async () => {
  const entries = Object.values(CASES).flatMap((each, index): [string, Entry][] => [
    [`PTR ${index}.2.0.192.in-addr.arpa`, own(each.ptr, index)],
    [`A h${index}.test`, own(each.a ?? "silence", index)],
  ]);
  server = await startNameServer(zone(Object.fromEntries(entries)));
  resolver = resolverOf([server]);
});
after(() => server.close());

async function found(
  address: string,
  signal = new AbortController().signal,
): Promise<{ host: string; logged: string[] }> {
  const logged: string[] = [];
  const host = await clientHost(resolver, address, options(1500, signal), (message, resolving) =>
    logged.push(`${resolving}: ${message}`),
  );
  return { host, logged };
}

describe("a client's host is", { concurrency: true }, () => {
  for (const [index, [what, each]] of Object.entries(CASES).entries()) {
    const { host, logged } = own({ logged: null, ...each }, index);
    const expected = { host, logged: logged === null ? [] : [logged] };
    test(`${host}: ${what}`, async () => {
      assert.deepEqual(await found(`192.0.2.${index}`), expected);
    });
  }

  test("the same for an IPv4 address that is written as IPv6", async () => {
    assert.deepEqual(await found("::ffff:192.0.2.0"), { host: "h0.test", logged: [] });
  });

  test("[TEMPUNAVAIL] for a client without an IP address", async () => {
    assert.deepEqual(await found("unix:"), { host: TEMPUNAVAIL, logged: [] });
  });
});

test("nothing is logged about a client that leaves", async () => {
  const search = new AbortController();
  const index = Object.keys(CASES).indexOf("an address without a response");
  const finding = found(`192.0.2.${index}`, search.signal);
  search.abort(new Error("gone"));
  await assert.rejects(finding, { message: "gone" });
});
