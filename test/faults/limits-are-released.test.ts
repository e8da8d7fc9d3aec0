// Ten thousand sessions that end in every possible way: each releases the limits that counted it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type Claim,
  ConnectionCounts,
  type CountedBy,
  type Limiter,
  WorkerCounts,
} from "../../proxy/limits/index.ts";
import type { PrimaryCalls, WorkerCalls } from "../../proxy/process/ipc/calls.ts";
import { Channel } from "../../proxy/process/ipc/channel.ts";
import { remoteLimiter } from "../../proxy/process/worker/remote-limiter.ts";
import { Worker } from "../../proxy/process/worker/worker.ts";
import { Revocations } from "../../proxy/revocation/index.ts";
import { type BoundSocket, bind } from "../../proxy/transport/index.ts";
import { configure } from "../support/proxy/configuration.ts";
import {
  type LookupEndpoint,
  never,
  reply,
  route,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import type { Listener } from "../support/peers/mailbox/index.ts";
import { freePorts } from "../support/programs/ports.ts";
import { grantImap, silence, startUpstream } from "../support/peers/upstream.ts";
import { Hangup, Wire } from "../support/peers/wire.ts";

const SESSIONS = 10_000;
const AT_ONCE = 120;

let port: number;
let socket: BoundSocket;
let endpoint: LookupEndpoint;
let worker: Worker;
const upstreams: Listener[] = [];
const connections = new ConnectionCounts();
/** Settles when the worker has no session. */
const idle = Promise.withResolvers<void>();
/** The highest count. */
let most = 0;

/** Connection counts behind a channel, as for a worker process: no reply comes in the same turn. */
function remote(): Limiter {
  const held = new WorkerCounts(connections);
  const calls = {
    claim: (session: number, claims: readonly Claim[]) => {
      const denial = held.claim(session, claims);
      most = Math.max(most, connections.held);
      return denial;
    },
    release: (session: number, by?: CountedBy) => held.release(session, by),
  } as PrimaryCalls;
  const inPrimary: Channel<PrimaryCalls, WorkerCalls> = new Channel(
    (message) => setImmediate(() => inWorker.receive(message)),
    calls,
  );
  const inWorker: Channel<WorkerCalls, PrimaryCalls> = new Channel(
    (message) => setImmediate(() => inPrimary.receive(message)),
    {} as WorkerCalls,
  );
  return remoteLimiter(inWorker);
}

before(async () => {
  const [unused] = await freePorts(1);
  [port] = (await freePorts(1)) as [number];
  const scripts = {
    idle: async (wire: Wire) => {
      await grantImap(wire);
      await silence();
    },
    leaving: async (wire: Wire) => {
      await grantImap(wire);
    },
    closing: () => Promise.resolve(),
    refusing: async (wire: Wire) => {
      wire.write("* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n");
      const [tag = ""] = (await wire.line()).split(" ");
      wire.write(`${tag} NO not today\r\n`);
    },
    silent: silence,
  };
  const ports = new Map<string, number>();
  for (const [name, script] of Object.entries(scripts)) {
    const upstream = await startUpstream(script);
    upstreams.push(upstream);
    ports.set(name, upstream.port);
  }
  endpoint = await startLookupEndpoint((lookup) => {
    const [kind = ""] = (lookup.header("Auth-User") ?? "").split(".");
    if (kind === "refused") return reply(200, { "Auth-Status": "no" });
    if (kind === "delayed") return reply(200, { "Auth-Status": "no", "Auth-Wait": 1 });
    if (kind === "failed") return reply(500, {});
    if (kind === "never") return never();
    return route(ports.get(kind) ?? unused!);
  });
  const settings = configure(`
    error_log /dev/null;
    events { worker_connections 5000; }
    mail {
      auth_http ${endpoint.address}; auth_http_timeout 300ms;
      access_log off; timeout 300ms; proxy_timeout 300ms; max_fails 0;
      limit_conn_zone $binary_remote_addr zone=client:1m;
      limit_conn_zone $remote_user zone=user:1m;
      limit_conn_zone $upstream_addr zone=server:1m;
      limit_conn client ${AT_ONCE / 2}; limit_conn user 1; limit_conn server 2;
      server { listen 127.0.0.1:${port}; protocol imap; }
    }`);
  worker = new Worker(
    settings,
    {
      ticketKeys: [new Uint8Array(48)],
      tls: settings.certificates.material,
      pairs: () => Promise.resolve(null),
      limiter: remote(),
      revocations: new Revocations("connected").state,
      sendSockets() {},
    },
    idle.resolve,
  );
  socket = bind({ host: "127.0.0.1", port });
  worker.listen(0, socket);
});
after(async () => {
  await endpoint.close();
  for (const upstream of upstreams) await upstream.close();
});

/** A client that acts until its session ends, from either side. */
type Ending = (client: Socket, wire: Wire, user: string) => Promise<unknown>;

const untilOver: Ending = async (client) => {
  if (!client.closed) await once(client, "close").catch(() => {});
};

/** Logs in as a user whose lookup has this result, and waits for the answer. */
function login(kind: string, then: Ending = untilOver): Ending {
  return async (client, wire, user) => {
    await wire.line();
    wire.write(`a LOGIN ${kind}.${user} x\r\n`);
    if (then === untilOver) await wire.line();
    await then(client, wire, user);
  };
}

const answered = (then: (client: Socket) => unknown): Ending => {
  return async (client, wire) => {
    await wire.line();
    then(client);
  };
};
const hangUp = (client: Socket) => client.end();
const reset = (client: Socket) => client.resetAndDestroy();

const said = (text: string): Ending => {
  return async (client, wire, user) => {
    await wire.line();
    wire.write(text);
    await untilOver(client, wire, user);
  };
};

const endings: Readonly<Record<string, Ending>> = {
  "resets before the greeting": async (client) => reset(client),
  "hangs up before the greeting": async (client) => hangUp(client),
  "hangs up at the greeting": answered(hangUp),
  "logs out": said("a LOGOUT\r\n"),
  "sends unknown commands": said("?\r\n".repeat(10)),
  "sends a line without end": said("a".repeat(20_000)),
  "sends nothing": untilOver,
  "is refused": login("refused"),
  "leaves while its refusal is delayed": login("delayed", async (client) => hangUp(client)),
  "gets no valid lookup reply": login("failed"),
  "gets no lookup reply in time": login("never"),
  "leaves while it is looked up": login("never", async (client) => reset(client)),
  "has an upstream that is down": login("down"),
  "has an upstream that closes at once": login("closing"),
  "is refused by the upstream": login("refusing"),
  "leaves while the upstream is silent": login("silent", async (client) => reset(client)),
  "leaves while it logs in": login("idle", async (client) => hangUp(client)),
  "is logged in, and hangs up": login("idle", answered(hangUp)),
  "is logged in, and resets": login("idle", answered(reset)),
  "is logged in, and idle": login("idle"),
  "is logged in, and the upstream leaves": login("leaving"),
};

async function live(ending: Ending, user: string): Promise<void> {
  const client = connect(port, "127.0.0.1");
  const wire = new Wire(client);
  try {
    await ending(client, wire, user);
  } catch (error) {
    if (!(error instanceof Hangup)) throw error;
  }
  await untilOver(client, wire, user);
}

test("ten thousand sessions that end in every way leave no count behind", async () => {
  const all = Object.values(endings);
  let next = 0;
  const keepComing = async (): Promise<void> => {
    while (next < SESSIONS) {
      const number = next++;
      await live(all[number % all.length]!, `u${number % 3}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, keepComing));
  // More at a time than the limits of a client, of a user and of a server allow.
  const crowd = (one: (number: number) => Promise<void>) =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, number) => one(number)));
  await crowd(() => live(untilOver, ""));
  await crowd(() => live(login("idle"), "same"));
  await crowd((number) => live(login("idle"), `own${number}`));
  // Sessions that the worker ends.
  const last = Array.from({ length: 20 }, (_, number) => live(login("idle"), `last${number}`));
  await nextTurn();
  worker.drain();
  worker.stop();
  await Promise.all([idle.promise, ...last]);
  // The last messages are delivered before the counts are read.
  await nextTurn();
  assert.equal(connections.held, 0);
  assert.ok(most > 20, `only ${most} were counted at a time`);
  const { counts } = worker.rejections;
  for (const reason of ["client_connections", "user_connections", "server_connections"] as const) {
    assert.ok((counts.get(reason) ?? 0) > 0, reason);
  }
  socket.close();
});
