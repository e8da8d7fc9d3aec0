/** Postern with two workers, three mail servers, a lookup endpoint and two outbound proxies, a process each. */
import { readFile } from "node:fs/promises";
import type { TestContext } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { upgrades } from "../../proxy/process/primary/upgrade.ts";
import { protocolNames } from "../../support/peers/mail-client.ts";
import { freePorts } from "../../support/programs/ports.ts";
import type { Program } from "../../support/programs/program.ts";
import {
  type OutboundPeer,
  startDante,
  startPostern,
  startTinyproxy,
} from "../../support/real-servers/index.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { secret } from "../../support/secrets.ts";
import { SERVERS } from "./accounts.ts";
import type { Door } from "./mail-program.ts";
import { Peer } from "./peer.ts";

export const WORKERS = 2;

/** ms from a connection to the answer: `login_timeout`, and time for a machine with much else to do. */
export const DEADLINE = 8000 + 7000;

const TIMES = "timeout 10s; login_timeout 8s; auth_http_timeout 2s; proxy_connect_timeout 2s;";

export interface Site {
  readonly doors: readonly Door[];
  readonly program: Program;
  readonly mailServers: readonly Peer[];
  readonly endpoint: Peer;
  readonly outbound: readonly OutboundPeer[];
  /** The pid of the primary that serves, which an upgrade changes. */
  primary(): number;
  workers(): Promise<readonly number[]>;
  reload(): Promise<void>;
  upgrade(): Promise<void>;
}

/** The network between mail programs and Postern, and between Postern and the mail servers. */
export interface Network {
  /** The address by which each reaches the next. */
  readonly host: string;
  /** The address on which Postern listens. */
  readonly listen: string;
  /** False leaves the outbound proxies out, which serve loopback only. */
  readonly outbound: boolean;
}

const LOOPBACK: Network = { host: "127.0.0.1", listen: "127.0.0.1", outbound: true };

/** @param damaged is told the address of each user whose message arrived with other bytes */
export async function startSite(
  t: TestContext,
  damaged: (address: string) => void,
  network: Network = LOOPBACK,
): Promise<Site> {
  // Ends new primaries with the test.
  const watch = upgrades(t);
  const routes: Record<ProtocolName, number>[] = [];
  const mailServers: Peer[] = [];
  for (let number = 0; number < SERVERS; number++) {
    const [imap = 0, pop3 = 0, smtp = 0] = await freePorts(3);
    routes.push({ imap, pop3, smtp });
    const server = await Peer.start("mail-server.ts", [number, imap, pop3, smtp], (line) => {
      damaged(line.replace("damaged ", ""));
    });
    t.after(() => server.kill());
    mailServers.push(server);
  }
  const [lookups = 0] = await freePorts(1);
  const endpoint = await Peer.start("lookup-endpoint.ts", [
    lookups,
    network.host,
    JSON.stringify(routes),
  ]);
  t.after(() => endpoint.kill());

  const login = { user: "proxyuser", password: secret("s3cret-of-the-proxy") };
  const outbound: Record<string, OutboundPeer> = network.outbound
    ? { http: await startTinyproxy(login), socks5: await startDante(login) }
    : {};
  for (const proxy of Object.values(outbound)) t.after(() => proxy.stop());

  const doors: Door[] = [];
  const servers: string[] = [];
  const open = async (protocol: ProtocolName, name: string, rest: string): Promise<void> => {
    const [port = 0] = await freePorts(1);
    const secure = name === "tls";
    doors.push({ name: `${protocol} ${name}`, protocol, secure, host: network.host, port });
    const ssl = secure ? " ssl" : "";
    servers.push(
      `server { listen ${network.listen}:${port}${ssl} backlog=1024; protocol ${protocol}; ${rest} }`,
    );
  };
  for (const protocol of protocolNames) {
    await open(protocol, "clear", "");
    await open(protocol, "tls", "");
    for (const [scheme, { ports }] of Object.entries(outbound)) {
      const url = `${scheme}://${login.user}:${login.password}@127.0.0.1:${ports[0]}`;
      await open(protocol, scheme, `outbound_proxy ${url};`);
    }
  }
  const scratch = await makeScratch();
  t.after(scratch.remove);
  const { program } = await startPostern(`
pid ${scratch.path}/nginx.pid;
worker_processes ${WORKERS};
error_log stderr notice;
events { worker_connections 8192; }
mail {
  server_name mx.example.test;
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
  auth_http http://127.0.0.1:${lookups}/auth;
  ${TIMES}
  proxy_smtp_auth on;
  xclient off;
  fail_timeout 200ms;
  access_log ${scratch.path}/access.log json;
  ${servers.join("\n  ")}
}
`).then((proxy) => {
    t.after(() => proxy.stop());
    return proxy;
  });
  watch(program);
  let primary = program.pid!;
  await program.logs(/start worker process/, WORKERS);
  return {
    doors,
    program,
    mailServers,
    endpoint,
    outbound: Object.values(outbound),
    primary: () => primary,
    workers: () => workersOf(primary),
    reload: async () => {
      const earlier = program.stderr.match(/start worker process/g)?.length ?? 0;
      process.kill(primary, "SIGHUP");
      await program.logs(/start worker process/, earlier + WORKERS);
    },
    upgrade: async () => {
      const old = primary;
      const started = /start new binary process (\d+)$/;
      const earlier = program.stderr.match(/start new binary process/g)?.length ?? 0;
      process.kill(old, "SIGUSR2");
      primary = Number((await program.logs(started, earlier + 1)).at(-1)![1]);
      await program.logs(new RegExp(` ${primary}#${primary}: start worker process`), WORKERS);
      process.kill(old, "SIGQUIT");
      await program.logs(new RegExp(` ${old}#${old}: exit$`));
    },
  };
}

/** The pids of the worker processes of a primary, without those that drain after a reload being told apart. */
async function workersOf(primary: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${primary}/task/${primary}/children`, "utf8");
  const found: number[] = [];
  for (const pid of children.trim().split(" ").map(Number)) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.includes("NODE_UNIQUE_ID=")) found.push(pid);
  }
  return found;
}
