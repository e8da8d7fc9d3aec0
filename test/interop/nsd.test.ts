// The resolver with a real name server, over UDP and TCP.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Resolver, clientHost } from "../../proxy/resolver/index.ts";
import { type Nsd, startNsd } from "../support/real-servers/index.ts";
import { lacking } from "../support/programs/requirements.ts";
import { options, resolverOf } from "../support/proxy/resolver.ts";

/** Too many for a datagram of 512 bytes. */
const many = Array.from({ length: 100 }, (_, index) => `192.0.2.${index + 100}`);

const ZONES = {
  "example.test": `
    ns    A 127.0.0.1
    mx    A 192.0.2.1
    mx    AAAA 2001:db8::1
    www   CNAME mx
    other A 192.0.2.200
    text  TXT "no address"
    ${many.map((address) => `many A ${address}`).join("\n    ")}
  `,
  "2.0.192.in-addr.arpa": `
    1 PTR MX.Example.Test.
    2 PTR other.example.test.
    3 PTR nobody.example.test.
    4 PTR text.example.test.
    5 PTR broken.test.
    6 PTR unknown.test.
    7 PTR under_score.example.test.
    8 CNAME 8.classless
    8.classless PTR many.example.test.
    9 TXT "no name"
    108 PTR many.example.test.
    109 CNAME 109.classless
    109.classless PTR many.example.test.
  `,
  "8.b.d.0.1.0.0.2.ip6.arpa":
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR mx.example.test.\n",
  "broken.test": null,
};

const HOSTS = {
  "192.0.2.1": "mx.example.test",
  "2001:db8::1": "mx.example.test",
  "::ffff:192.0.2.1": "mx.example.test",
  "192.0.2.108": "many.example.test",
  "192.0.2.109": "many.example.test",
  "192.0.2.2": "[UNAVAILABLE]",
  "192.0.2.3": "[UNAVAILABLE]",
  "192.0.2.4": "[UNAVAILABLE]",
  "192.0.2.8": "[UNAVAILABLE]",
  "192.0.2.9": "[UNAVAILABLE]",
  "192.0.2.10": "[UNAVAILABLE]",
  "2001:db8::2": "[UNAVAILABLE]",
  "192.0.2.5": "[TEMPUNAVAIL]",
  "192.0.2.6": "[TEMPUNAVAIL]",
  "192.0.2.7": "[TEMPUNAVAIL]",
  "198.51.100.1": "[TEMPUNAVAIL]",
};

describe("with NSD as the name server", { skip: lacking("nsd") }, () => {
  let nsd: Nsd;
  let resolver: Resolver;
  before(async () => {
    nsd = await startNsd(ZONES);
    resolver = resolverOf([nsd], { ipv6: true });
  });
  after(() => nsd.stop());

  for (const [address, host] of Object.entries(HOSTS)) {
    test(`${address} is ${host}`, async () => {
      assert.equal(await clientHost(resolver, address, options(), () => {}), host);
    });
  }

  test("a CNAME has the addresses of its target", async () => {
    const found = await resolver.forward("www.example.test", options());
    assert.deepEqual(found, ["192.0.2.1", "2001:db8::1"]);
  });

  test("a name with more addresses than fit a datagram has all of them", async () => {
    const found = await resolver.forward("many.example.test", options());
    assert.deepEqual([...found].toSorted(), many.toSorted());
  });

  test("REFUSED for an unknown zone and SERVFAIL for a broken one are failures", async () => {
    await assert.rejects(resolver.forward("unknown.test", options()), {
      message: "5: Operation refused",
    });
    await assert.rejects(resolver.forward("broken.test", options()), {
      message: "2: Server failure",
    });
  });
});
