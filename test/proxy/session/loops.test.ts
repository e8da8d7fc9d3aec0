// A Postern whose lookup routes logins back to the same Postern.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import {
  attempt,
  greeted,
  protocolNames,
  temporary,
  untilClosed,
} from "../../support/peers/mail-client.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";

let endpoint: LookupEndpoint;
let postern: Servers<ProtocolName>;

before(async () => {
  endpoint = await startLookupEndpoint((lookup) =>
    route(postern.ports[lookup.header("Auth-Protocol") as ProtocolName]),
  );
  postern = await startServers(`auth_http ${endpoint.address}; proxy_client_id on;`, inTheClear);
});
after(async () => {
  await postern.stop();
  await endpoint.close();
});

for (const protocol of protocolNames) {
  test(`a looping ${protocol} login fails temporarily at the fifth hop, and the log reports the loop`, async () => {
    const wire = await greeted(protocol, postern.ports[protocol]);
    assert.match(await attempt(protocol, wire), temporary[protocol]);
    assert.deepEqual(await untilClosed(wire), []);
    const asked = endpoint.lookups.filter((each) => each.header("Auth-Protocol") === protocol);
    assert.equal(asked.length, 5);
    await postern.proxy.program.logs(
      new RegExp(
        `\\[error\\] .*proxies appear to be looping.* server: .*:${postern.ports[protocol]}`,
      ),
    );
  });
}
