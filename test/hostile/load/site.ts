/** Postern with two workers before mail servers that let any user in, on this machine. */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { compile, NativeProgram } from "../../support/programs/native.ts";
import { memory } from "../../support/programs/process-tree.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { startPostern } from "../../support/real-servers/index.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { type Held, Probe } from "./probe.ts";

const WORKERS = 2;

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const BENCH = "../../bench/native";

/** The C programs, by name. */
const PROGRAMS = {
  upstream: { sources: [`${BENCH}/upstream.c`, `${BENCH}/loopback.c`], libraries: [] },
  client: {
    sources: [`${BENCH}/client.c`, `${BENCH}/stream.c`, `${BENCH}/loopback.c`],
    libraries: ["-lssl", "-lcrypto"],
  },
  crowd: {
    sources: ["crowd.c", "villain.c", `${BENCH}/stream.c`, `${BENCH}/loopback.c`],
    libraries: ["-lssl", "-lcrypto"],
  },
} as const;

interface Ports {
  readonly imap: number;
  readonly pop3: number;
  readonly smtp: number;
  readonly imaps: number;
}

export interface Site {
  readonly ports: Ports;
  /** Starts one of the programs, which ends with the site. */
  start(program: "client" | "crowd", args: readonly (string | number)[]): NativeProgram;
  /** KiB of all processes; pages that they share count once. */
  memory(): Promise<number>;
  /** The sums over the workers, after a collection. */
  held(): Promise<Held>;
  /** Lines of the error log above `notice`. */
  complaints(): readonly string[];
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const started = new AsyncDisposableStack();
  try {
    const scratch = await makeScratch();
    started.defer(scratch.remove);
    const program = (name: keyof typeof PROGRAMS): string => join(scratch.path, name);
    for (const [name, { sources, libraries }] of Object.entries(PROGRAMS)) {
      compile(program(name as keyof typeof PROGRAMS), sources.map(path), libraries);
    }
    const upstream = new NativeProgram(program("upstream"), []);
    started.defer(() => upstream.stop());
    const endpoint = (await upstream.line()).split(" ")[3];
    const [imap = 0, pop3 = 0, smtp = 0, imaps = 0] = await freePorts(4);
    const probe = await Probe.install(scratch.path);
    const postern = await startPostern(`
worker_processes ${WORKERS};
worker_rlimit_nofile 20000;
error_log stderr notice;
events { worker_connections 19900; }
mail {
  server_name proxy.example.test;
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
  auth_http http://127.0.0.1:${endpoint}/auth;
  login_timeout 10s;
  proxy_smtp_auth on;
  xclient off;
  access_log ${scratch.path}/access.log json;
  server { listen 127.0.0.1:${imap} backlog=4096; protocol imap; }
  server { listen 127.0.0.1:${pop3} backlog=4096; protocol pop3; }
  server { listen 127.0.0.1:${smtp} backlog=4096; protocol smtp; }
  server { listen 127.0.0.1:${imaps} ssl backlog=4096; protocol imap; }
}
`).finally(() => probe.uninstall());
    started.defer(() => postern.stop());
    const { program: proxy } = postern;
    const lines = await proxy.logs(/start worker process (\d+)/, WORKERS);
    const workers = lines.map(([, pid]) => Number(pid));
    const all = started.move();
    return {
      ports: { imap, pop3, smtp, imaps },
      start: (name, args) => {
        const native = new NativeProgram(program(name), args);
        all.defer(() => native.stop());
        return native;
      },
      memory: () => memory(proxy.pid!),
      held: () => probe.ask(workers),
      complaints: () => proxy.stderr.match(/^.*\[(?:warn|error|crit|alert|emerg)\].*$/gm) ?? [],
      close: () => all.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}
