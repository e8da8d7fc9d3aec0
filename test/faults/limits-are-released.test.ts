// Ten thousand sessions that end in every way there is: what they were counted under is given back.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Denial, ConnectionCounts } from "../../proxy/limits/index.ts";
import { RemoteLimiter } from "../../proxy/process/worker/remote-limiter.ts";
import { Worker } from "../../proxy/process/worker/worker.ts";
import { type BoundSocket, bind } from "../../proxy/transport/index.ts";
import { configure } from "../support/configuration.ts";
import {
  type LookupEndpoint,
  never,
  reply,
  route,
  startLookupEndpoint,
} from "../support/lookup-endpoint.ts";
import type { Listener } from "../support/mailbox/index.ts";
import { freePorts } from "../support/ports.ts";
import { grantImap, silence, startUpstream } from "../support/upstream.ts";
import { Hangup, Wire } from "../support/wire.ts";

const SESSIONS = 10_000;
const AT_ONCE = 120;

let port: number;
let socket: BoundSocket;
let endpoint: LookupEndpoint;
let worker: Worker;
const upstreams: Listener[] = [];
const connections = new ConnectionCounts();
/** Settles when the worker has no session left. */
const idle = Promise.withResolvers<void>();
/** The most that was counted at a time. */
let most = 0;

/** Connection counts beyond a channel, as it is to a worker process: nothing is answered in the same turn. */
function remote(): RemoteLimiter {
  const held = connections.worker();
  const answer = (session: number, denial: Denial | null) =>
    setImmediate(() => limiter.answered(session, denial));
  const limiter = new RemoteLimiter((message) => {
    setImmediate(() => {
      if (message.kind === "claim") {
        answer(message.session, held.claim(message.session, message.claims));
        most = Math.max(most, connections.held);
      } else if (message.kind === "release") held.release(message.session, message.by);
    });
  });
  return limiter;
}

before(async () => {
  const [dead] = await freePorts(1);
  [port] = (await freePorts(1)) as [number];
  const scripts = {
    kind: async (wire: Wire) => {
      await grantImap(wire);
      await silence();
    },
    leaving: async (wire: Wire) => {
      await grantImap(wire);
    },
    rude: () => Promise.resolve(),
    unwilling: async (wire: Wire) => {
      wire.write("* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n");
      const [tag = ""] = (await wire.line()).split(" ");
      wire.write(`${tag} NO not today\r\n`);
    },
    mute: silence,
  };
  const ports = new Map<string, number>();
  for (const [name, script] of Object.entries(scripts)) {
    const upstream = await startUpstream(script);
    upstreams.push(upstream);
    ports.set(name, upstream.port);
  }
  endpoint = await startLookupEndpoint((lookup) => {
    const [kind = ""] = (lookup.header("Auth-User") ?? "").split(".");
    if (kind === "nobody") return reply(200, { "Auth-Status": "no" });
    if (kind === "later") return reply(200, { "Auth-Status": "no", "Auth-Wait": 1 });
    if (kind === "unknown") return reply(500, {});
    if (kind === "never") return never();
    return route(ports.get(kind) ?? dead!);
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
      reopen() {},
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

/** What a client does until it, or somebody else, ends its session. */
type Ending = (client: Socket, wire: Wire, user: string) => Promise<unknown>;

const untilOver: Ending = async (client) => {
  if (!client.closed) await once(client, "close").catch(() => {});
};

/** Logs in as a user whom the lookup sends to such a fate, and waits for what comes of it. */
function fate(kind: string, then: Ending = untilOver): Ending {
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
  "resets before anything": async (client) => reset(client),
  "hangs up before the greeting": async (client) => hangUp(client),
  "hangs up at the greeting": answered(hangUp),
  "logs out": said("a LOGOUT\r\n"),
  "talks nonsense": said("?\r\n".repeat(10)),
  "talks for ever": said("a".repeat(20_000)),
  "says nothing": untilOver,
  "is refused": fate("nobody"),
  "leaves while its refusal is held back": fate("later", async (client) => hangUp(client)),
  "is not looked up": fate("unknown"),
  "is not looked up in time": fate("never"),
  "leaves while it is looked up": fate("never", async (client) => reset(client)),
  "finds nobody upstream": fate("dead"),
  "is hung up on by the upstream": fate("rude"),
  "is refused by the upstream": fate("unwilling"),
  "leaves while the upstream is silent": fate("mute", async (client) => reset(client)),
  "leaves while it logs in": fate("kind", async (client) => hangUp(client)),
  "is logged in, and hangs up": fate("kind", answered(hangUp)),
  "is logged in, and resets": fate("kind", answered(reset)),
  "is logged in, and idle": fate("kind"),
  "is logged in, and the upstream leaves": fate("leaving"),
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

test("after all endings, ten thousand in all, nothing is counted any more", async () => {
  const ways = Object.values(endings);
  let next = 0;
  const keepComing = async (): Promise<void> => {
    while (next < SESSIONS) {
      const number = next++;
      await live(ways[number % ways.length]!, `u${number % 3}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, keepComing));
  // More at once than there is room for: of clients, of one user's sessions, and of a server's.
  const crowd = (one: (number: number) => Promise<void>) =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, number) => one(number)));
  await crowd(() => live(untilOver, ""));
  await crowd(() => live(fate("kind"), "same"));
  await crowd((number) => live(fate("kind"), `own${number}`));
  // And some that the worker ends itself.
  const last = Array.from({ length: 20 }, (_, number) => live(fate("kind"), `last${number}`));
  await nextTurn();
  worker.drain();
  worker.stop();
  await Promise.all([idle.promise, ...last]);
  // What was said last is heard before what is asked now.
  await nextTurn();
  assert.equal(connections.held, 0);
  assert.ok(most > 20, `only ${most} were counted at a time`);
  const { counts } = worker.rejections;
  for (const reason of ["client_connections", "user_connections", "server_connections"] as const) {
    assert.ok((counts.get(reason) ?? 0) > 0, reason);
  }
  socket.close();
});
