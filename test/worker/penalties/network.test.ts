import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp } from "../../../shared/address.ts";
import { clientNetwork } from "../../../worker/penalties/network.ts";

test("a client stands for its IPv4 address, or for its IPv6 /64", () => {
  const clients = {
    "192.0.2.9": "192.0.2.9/32",
    "::ffff:192.0.2.9": "192.0.2.9/32",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:DB8:1:2::": "2001:db8:1:2::/64",
    "::1": "::/64",
  };
  for (const [client, network] of Object.entries(clients)) {
    assert.equal(clientNetwork(parseIp(client)!), network);
  }
});
