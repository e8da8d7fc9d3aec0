// The choice between a direct dial and the outbound proxy, for each server.
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

/** A resolver with the test's own answers. */
function resolver(answer: (name: string) => Promise<readonly string[]>): HostResolver {
  return { addresses: (name) => answer(name) };
}

function neverDialled(): never {
  throw new Error("not dialled here");
}

const near: Dialer = direct(
  neverDialled,
  resolver(() => Promise.resolve([])),
);
const far: Dialer = proxied(neverDialled, () => new Error("timed out"));

async function routeTo(host: string, bypass: readonly string[]): Promise<string> {
  const asked: string[] = [];
  const local = new LocalAddresses(
    resolver(async (name) => {
      asked.push(name);
      const addresses = known[name];
      if (addresses === undefined) throw new Error("not found");
      return addresses;
    }),
  );
  const dialer = await throughProxy(bypass, near, far, local)(host);
  return [dialer === near ? "straight" : "tunnel", ...asked].join(" asked ");
}

test("an outbound proxy gets the server's name and resolves the name itself", async () => {
  const server = { host: "mail.example", port: 143 };
  assert.deepEqual(far.addresses(server), [server]);
  assert.deepEqual(await far.resolve(server, new AbortController().signal), [server]);
});

test("a direct dial resolves a name and takes an address as it is", async () => {
  const dialer = direct(
    neverDialled,
    resolver(async () => ["192.0.2.1", "2001:db8::1"]),
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
  test(`the route to ${JSON.stringify(host)} with the bypass list [${bypass.join(" ")}] is ${expected}`, async () => {
    assert.equal(await routeTo(host, bypass), expected);
  });
}

describe("the local addresses of a name", () => {
  test("are resolved once, also for several concurrent questions", async () => {
    let asked = 0;
    const local = new LocalAddresses(
      resolver(async () => {
        asked++;
        return ["10.0.0.1"];
      }),
    );
    const answers = await Promise.all(Array.from({ length: 5 }, () => local.of("a.example")));
    assert.deepEqual(new Set(answers.flat()), new Set(["10.0.0.1"]));
    assert.deepEqual(await local.of("a.example"), ["10.0.0.1"]);
    assert.equal(asked, 1);
  });

  test("are an empty list where the resolver fails", async () => {
    const failing = new LocalAddresses(resolver(() => Promise.reject(new Error("SERVFAIL"))));
    assert.deepEqual(await failing.of("a.example"), []);
  });

  test("are an empty list until a late answer of the resolver arrives", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const late = Promise.withResolvers<readonly string[]>();
    const local = new LocalAddresses(resolver(() => late.promise));
    const first = local.of("a.example");
    t.mock.timers.tick(1000);
    assert.deepEqual(await first, []);
    assert.deepEqual(await local.of("a.example"), []);
    late.resolve(["10.0.0.1"]);
    await late.promise;
    assert.deepEqual(await local.of("a.example"), ["10.0.0.1"]);
  });
});
