// The budget of a session's common path: an address literal, one server, no limits, no cache, a lookup on a kept
// connection, and an access log. Allocations are counted in the proxy's process, not timed, so that a busy
// machine does not matter. budget.json has the numbers; docs/benchmarks.md says when to change them.
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { ProtocolName } from "../../../shared/lookup.ts";
import type { Allocations } from "../../support/programs/allocation-probe.ts";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import { accepting, freePorts } from "../../support/programs/ports.ts";
import { type Scratch, makeScratch } from "../../support/programs/scratch.ts";
import { Wire } from "../../support/peers/wire.ts";

interface Budget {
  readonly promises: number;
  /** Objects that functions of proxy/ allocate; numbers do not count. */
  readonly own: number;
  /** Likewise with those of Node and V8 on behalf of the session. */
  readonly all: number;
  readonly bytes: number;
}

type Step = readonly [line: string, answer: string];

const USER = "alice@example.test";
const PASSWORD = "wonderland";

/** The lines of a client, each with the start of the answer's last line. The first step is the greeting. */
const SCRIPTS: Readonly<Record<ProtocolName, readonly Step[]>> = {
  imap: [
    ["", "* OK"],
    [`1 LOGIN ${USER} ${PASSWORD}\r\n`, "1 OK"],
    ["2 LOGOUT\r\n", "2 OK"],
  ],
  pop3: [
    ["", "+OK"],
    [`USER ${USER}\r\n`, "+OK"],
    [`PASS ${PASSWORD}\r\n`, "+OK"],
    ["QUIT\r\n", "+OK"],
  ],
  smtp: [
    ["", "220 "],
    ["EHLO client.example.test\r\n", "250 "],
    [`AUTH PLAIN ${btoa(`\0${USER}\0${PASSWORD}`)}\r\n`, "235 "],
    ["QUIT\r\n", "221 "],
  ],
};

const PROTOCOLS = ["imap", "pop3", "smtp"] as const;

/** Sessions before the count, so that all code has run, and sessions that are counted. */
const WARM_UP = 60;
const SESSIONS = 100;

/** Optimised code leaves allocations out, and V8 decides by the clock when to optimise. */
const UNOPTIMISED = ["--no-opt", "--no-maglev", "--no-sparkplug"];

/**
 * Objects of Node that vary between runs: a reply comes in one read or in two, and the access log's timer fires for
 * one session or for several. Objects of Postern's own code do not vary.
 */
const MORE_OBJECTS = 12;

/** Share by which bytes vary, for the same reasons. */
const MORE_BYTES = 1.04;

const budgetFile = new URL("budget.json", import.meta.url);
const budgets = JSON.parse(await readFile(budgetFile, "utf8")) as Record<ProtocolName, Budget>;
const root = new URL("../../../", import.meta.url);

let scratch: Scratch;
let mailbox: Mailbox;
let endpoint: LookupEndpoint;
let ports: Readonly<Record<ProtocolName, number>>;
let proxy: ChildProcess;

before(async () => {
  scratch = await makeScratch();
  const users = [{ address: USER, password: PASSWORD }];
  mailbox = await startMailbox({ name: "mx.example.test", users });
  endpoint = await startLookupEndpoint((lookup) =>
    route(mailbox[lookup.header("Auth-Protocol") as ProtocolName].port),
  );
  const [imap = 0, pop3 = 0, smtp = 0] = await freePorts(3);
  ports = { imap, pop3, smtp };
  const servers = PROTOCOLS.map(
    (protocol) => `server { listen 127.0.0.1:${ports[protocol]}; protocol ${protocol}; }`,
  );
  const file = join(scratch.path, "mail.conf");
  await writeFile(
    file,
    `master_process off; error_log error.log; events {}
    mail {
      server_name proxy.example.test; auth_http ${endpoint.address}; access_log access.log json; xclient off;
      ${servers.join("\n")}
    }`,
  );
  const probe = new URL("test/support/programs/allocation-probe.ts", root).href;
  proxy = fork(
    fileURLToPath(new URL("proxy/main.cjs", root)),
    ["-p", `${scratch.path}/`, "-c", file],
    {
      execArgv: [...UNOPTIMISED, "--import", probe],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    },
  );
  const died = new AbortController();
  proxy.once("exit", () => died.abort());
  await Promise.all(PROTOCOLS.map((protocol) => accepting(ports[protocol], died.signal)));
  assert.equal(died.signal.aborted, false, "the proxy has not started");
});

after(async () => {
  if (proxy?.exitCode === null) {
    proxy.kill();
    await once(proxy, "exit");
  }
  await endpoint?.close();
  await mailbox?.close();
  await scratch?.remove();
});

for (const protocol of PROTOCOLS) {
  describe(`a common ${protocol} session`, () => {
    let spent: Budget;
    let details = "";

    before(async () => {
      await sessions(protocol, WARM_UP);
      await tell("begin");
      await sessions(protocol, SESSIONS);
      const counted = (await tell("end")) as Allocations;
      spent = perSession(counted);
      details = list(counted.objects);
    });

    it("makes no promise", () => {
      assert.equal(spent.promises, budgets[protocol].promises);
    });

    it("allocates no more objects in Postern's code than its budget has", () => {
      const { own } = budgets[protocol];
      assert.ok(spent.own <= own, `${spent.own} objects, budget ${own}:\n${details}`);
    });

    it("allocates no more objects in all than its budget has", () => {
      const { all } = budgets[protocol];
      assert.ok(
        spent.all <= all + MORE_OBJECTS,
        `${spent.all} objects, budget ${all}:\n${details}`,
      );
    });

    it("allocates no more bytes than its budget has", () => {
      const { bytes } = budgets[protocol];
      assert.ok(spent.bytes <= bytes * MORE_BYTES, `${spent.bytes} bytes, budget ${bytes}`);
    });
  });
}

async function tell(word: "begin" | "end"): Promise<unknown> {
  const answer = once(proxy, "message");
  proxy.send(word);
  const [message] = (await answer) as [unknown];
  return message;
}

/** One after the other, since sessions that share a turn of the event loop share some objects. */
async function sessions(protocol: ProtocolName, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await session(protocol);
}

async function session(protocol: ProtocolName): Promise<void> {
  const socket = connect({ port: ports[protocol], host: "127.0.0.1", noDelay: true });
  const closed = once(socket, "close");
  const wire = new Wire(socket);
  for (const [line, answer] of SCRIPTS[protocol]) {
    if (line !== "") wire.write(line);
    while (!(await wire.line()).startsWith(answer));
  }
  await closed;
}

/** Whole objects of each function: what happens once in many sessions is no session's. */
function perSession({ promises, bytes, objects }: Allocations): Budget {
  let own = 0;
  let all = 0;
  for (const [name, count] of Object.entries(objects)) {
    const each = Math.round(count / SESSIONS);
    all += each;
    if (name.includes(" proxy/")) own += each;
  }
  return { promises: promises / SESSIONS, own, all, bytes: Math.round(bytes / SESSIONS) };
}

function list(objects: Allocations["objects"]): string {
  const counts = Object.entries(objects).map(([name, count]) => ({
    name,
    each: Math.round(count / SESSIONS),
  }));
  return counts
    .filter(({ name, each }) => each > 0 && name.includes(" proxy/"))
    .toSorted((one, other) => other.each - one.each)
    .map(({ name, each }) => `${each}  ${name}`)
    .join("\n");
}
