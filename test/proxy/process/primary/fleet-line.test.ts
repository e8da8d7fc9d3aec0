// The fleet's line, the metrics that tell of it, and what it means to sessions and to remembered lookups.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventually } from "../../../support/eventually.ts";
import { startLiveServer } from "../../../support/peers/live-server.ts";
import { route, startLookupEndpoint } from "../../../support/peers/lookup-endpoint.ts";
import {
  attempt,
  granted,
  greeted,
  temporary,
  untilClosed,
} from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";
import { startServers } from "../../../support/programs/servers.ts";
import { scrape } from "../../../support/programs/status.ts";
import { grantImap, silence, startUpstream } from "../../../support/peers/upstream.ts";
import type { Wire } from "../../../support/peers/wire.ts";

const ID = "AAAAAAAAAAAAAAAAAAAAAA";

/** A proxy with a cache, a lookup endpoint whose user has a version, and a fleet. */
async function start(t: TestContext, main: string) {
  const upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  const endpoint = await startLookupEndpoint(() =>
    route(upstream.port, {
      "Auth-User-Id": ID,
      "Auth-User-Version": user.version,
      "Cache-Control": "private, max-age=600, stale-if-error=600",
    }),
  );
  const user = { version: 4 };
  const fleet = await startLiveServer();
  const { path, remove } = await makeScratch();
  await writeFile(join(path, "fleet.key"), "postern_its-own\n");
  const [status = 0] = await freePorts(1);
  const proxy = await startServers(
    `auth_http ${endpoint.address}; auth_http_cache on; fleet ${fleet.url} key=${path}/fleet.key;
     status_listen 127.0.0.1:${status};`,
    { imap: "listen 127.0.0.1:PORT; protocol imap;" },
    main,
  );
  t.after(async () => {
    await proxy.stop();
    await fleet.close();
    await endpoint.close();
    await upstream.close();
    await remove();
  });
  const session = async (): Promise<Wire> => {
    const wire = await greeted("imap", proxy.ports.imap);
    assert.match(await attempt("imap", wire), granted.imap);
    return wire;
  };
  return {
    user,
    fleet,
    endpoint,
    session,
    answer: async () => {
      const wire = await greeted("imap", proxy.ports.imap);
      const line = await attempt("imap", wire);
      wire.end();
      return line;
    },
    /** The number of lookups that so many logins one after another take. */
    lookupsOf: async (logins: number) => {
      const { length } = endpoint.lookups;
      for (let count = 0; count < logins; count++) (await session()).end();
      return endpoint.lookups.length - length;
    },
    isIn: (state: string) =>
      eventually(`the line is ${state}`, async () => {
        const samples = await scrape(status);
        return samples.some(
          ({ name, labels, value }) =>
            name === "postern_fleet_line" && labels["state"] === state && value === 1,
        );
      }),
  };
}

for (const main of ["worker_processes 1;", "master_process off;"]) {
  test(`remembered lookups serve while the line is connected, and a kick ends the sessions of earlier versions, with ${main}`, async (t) => {
    const { user, fleet, endpoint, session, answer, lookupsOf, isIn } = await start(t, main);
    const line = await fleet.accepted();
    await isIn("catching up");
    assert.equal(await lookupsOf(2), 2);
    line.send({ kind: "heard", last: 0, complete: true });
    await isIn("connected");
    assert.equal(await lookupsOf(2), 0);

    const before = await session();
    const kick = { kind: "kick", names: [], bookmark: "b5" };
    line.send({ ...kick, number: 1, user: { id: ID, version: 5 } });
    assert.deepEqual(await untilClosed(before), []);
    assert.match(await answer(), temporary.imap);
    assert.equal(endpoint.lookups.at(-1)!.header("Auth-Directory-Bookmark"), "b5");
    user.version = 5;
    const later = await session();
    assert.equal(await lookupsOf(2), 0);

    fleet.status = 401;
    line.cut();
    await isIn("refused");
    assert.equal(await lookupsOf(2), 2);
    await endpoint.close();
    assert.match(await answer(), temporary.imap);
    later.end();
  });
}
