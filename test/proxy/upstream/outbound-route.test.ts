// The servers that are reached through the outbound proxy, and those that are not.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HostResolver } from "../../../proxy/resolver/index.ts";
import {
  type Dialer,
  LocalAddresses,
  direct,
  proxied,
  throughProxy,
} from "../../../proxy/upstream/index.ts";

const known: Readonly<Record<string, readonly string[]>> = {
  "near.example": ["192.0.2.1", "10.0.0.1"],
  "far.example": ["203.0.113.1"],
};

/** A resolver that a test answers for. */
function names(tell: (name: string) => Promise<readonly string[]>): HostResolver {
  return { addresses: (name) => tell(name) };
}

function neverDialled(): never {
  throw new Error("not dialled here");
}

const near: Dialer = direct(
  neverDialled,
  names(() => Promise.resolve([])),
);
const far: Dialer = proxied(neverDialled, () => new Error("timed out"));

async function routeTo(host: string, bypass: readonly string[]): Promise<string> {
  const asked: string[] = [];
  const local = new LocalAddresses(
    names(async (name) => {
      asked.push(name);
      const addresses = known[name];
      if (addresses === undefined) throw new Error("not found");
      return addresses;
    }),
  );
  const dialer = await throughProxy(bypass, near, far, local)(host);
  return [dialer === near ? "straight" : "tunnel", ...asked].join(" asked ");
}

test("a proxy is sent the server's name, which the proxy resolves", async () => {
  const server = { host: "mail.example", port: 143 };
  assert.deepEqual(far.addresses(server), [server]);
  assert.deepEqual(await far.resolve(server, new AbortController().signal), [server]);
});

test("a name is resolved for a direct dial, and an address is not", async () => {
  const dialer = direct(
    neverDialled,
    names(async () => ["192.0.2.1", "2001:db8::1"]),
  );
  const server = { host: "mail.example", port: 143 };
  assert.equal(dialer.addresses(server), null);
  assert.deepEqual(await dialer.resolve(server, new AbortController().signal), [
    { host: "2001:db8::1", port: 143 },
    { host: "192.0.2.1", port: 143 },
  ]);
  for (const host of ["192.0.2.1", "2001:db8::1", "unix:/run/mail.sock"]) {
    assert.deepEqual(dialer.addresses({ host, port: 1 }), [{ host, port: 1 }]);
  }
});

const ROUTES: readonly (readonly [host: string, bypass: readonly string[], route: string])[] = [
  ["mail.example", [], "tunnel"],
  ["192.0.2.1", [], "tunnel"],
  ["mail.example", ["*.example"], "straight"],
  ["MAIL.Example.", ["*.example"], "straight"],
  ["10.1.1.1", ["10.0.0.0/8"], "straight"],
  ["192.0.2.1", ["10.0.0.0/8"], "tunnel"],
  ["near.example", ["10.0.0.0/8"], "straight asked near.example"],
  ["far.example", ["10.0.0.0/8"], "tunnel asked far.example"],
  ["unknown.example", ["10.0.0.0/8"], "tunnel asked unknown.example"],
  ["near.example", ["near.example", "10.0.0.0/8"], "straight"],
  ["far.example", ["near.example"], "tunnel"],
  ["unix:/run/mail.sock", [], "straight"],
];
for (const [host, bypass, expected] of ROUTES) {
  test(`to ${host} with [${bypass.join(" ")}] the route is ${expected}`, async () => {
    assert.equal(await routeTo(host, bypass), expected);
  });
}

describe("the addresses of a name", () => {
  test("are asked for once, by many at a time too", async () => {
    let asked = 0;
    const local = new LocalAddresses(
      names(async () => {
        asked++;
        return ["10.0.0.1"];
      }),
    );
    const answers = await Promise.all(Array.from({ length: 5 }, () => local.of("a.example")));
    assert.deepEqual(new Set(answers.flat()), new Set(["10.0.0.1"]));
    assert.deepEqual(await local.of("a.example"), ["10.0.0.1"]);
    assert.equal(asked, 1);
  });

  test("are none where asking fails", async () => {
    const failing = new LocalAddresses(names(() => Promise.reject(new Error("SERVFAIL"))));
    assert.deepEqual(await failing.of("a.example"), []);
  });

  test("are none while nobody answers, and those of a late answer then", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const late = Promise.withResolvers<readonly string[]>();
    const local = new LocalAddresses(names(() => late.promise));
    const first = local.of("a.example");
    t.mock.timers.tick(1000);
    assert.deepEqual(await first, []);
    assert.deepEqual(await local.of("a.example"), []);
    late.resolve(["10.0.0.1"]);
    await late.promise;
    assert.deepEqual(await local.of("a.example"), ["10.0.0.1"]);
  });
});
