// Who goes through the proxy, and who does not.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HostResolver } from "../../../proxy/resolver/index.ts";
import {
  type Dialer,
  LocalAddresses,
  direct,
  outbound,
  proxied,
} from "../../../proxy/upstream/index.ts";
import { transport } from "../../support/connections.ts";

const known: Readonly<Record<string, readonly string[]>> = {
  "near.example": ["192.0.2.1", "10.0.0.1"],
  "far.example": ["203.0.113.1"],
};

/** Names whose addresses somebody tells, or fails to. */
function names(tell: (name: string) => Promise<readonly string[]>): HostResolver {
  return { addresses: (name) => tell(name) };
}

const near: Dialer = direct(
  transport,
  names(() => Promise.resolve([])),
);
const far: Dialer = proxied(() => Promise.reject(new Error("not dialled here")));

async function wayTo(host: string, bypass: readonly string[]): Promise<string> {
  const asked: string[] = [];
  const local = new LocalAddresses(
    names(async (name) => {
      asked.push(name);
      const addresses = known[name];
      if (addresses === undefined) throw new Error("not found");
      return addresses;
    }),
  );
  const dialer = await outbound(bypass, near, far, local)(host);
  return [dialer === near ? "straight" : "tunnel", ...asked].join(" asked ");
}

test("a proxy is given the server as it is, and why it failed is told once", async () => {
  const server = { host: "mail.example", port: 143 };
  const { signal } = new AbortController();
  assert.deepEqual(await far.addresses(server, signal), [server]);
  const failures: unknown[] = [];
  await assert.rejects(
    far.connect([server], signal, (to, error) => failures.push([to, String(error)])),
    /not dialled here/,
  );
  assert.deepEqual(failures, [[server, "Error: not dialled here"]]);
});

const WAYS: readonly (readonly [host: string, bypass: readonly string[], way: string])[] = [
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
for (const [host, bypass, expected] of WAYS) {
  test(`to ${host} with [${bypass.join(" ")}] the way is ${expected}`, async () => {
    assert.equal(await wayTo(host, bypass), expected);
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
