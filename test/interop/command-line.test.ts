// The command line and the core directives: Postern must print the same messages as stock nginx, with the same status.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { posternEntry } from "../support/real-servers/index.ts";
import { type End, run } from "../support/programs/program.ts";
import { lacking } from "../support/programs/requirements.ts";
import { makeScratch } from "../support/programs/scratch.ts";

const nginx = "/usr/sbin/nginx";
const module = "/usr/lib/nginx/modules/ngx_mail_module.so";
const skip = lacking("nginx");

/** nginx reads `user` only as root. */
const users = process.getuid?.() === 0 ? ["user nosuch;", "user nobody nosuch;"] : [];

/** Command lines that start no server. */
const OPTIONS: readonly string[] = [
  "x",
  "-t conf",
  "-x",
  "-tx",
  "--test",
  "-c",
  "-tc",
  "-e",
  "-p",
  "-g",
  "-s",
  "-s foo",
  "-sSTOP",
  "-s |",
  "-tq -g |",
  "-t -c missing.conf",
  "-tcmissing.conf",
  "-tqcmissing.conf",
  "-t -c missing.conf -c mail.conf",
  "-tg pid|x",
  "-s stop -t",
];

const CORE: readonly string[] = [
  "worker_processes auto;",
  "worker_processes AUTO;",
  "worker_processes -1;",
  "worker_processes 1 2;",
  "worker_priority -5;",
  "worker_priority +5;",
  "worker_priority x;",
  "worker_priority -;",
  "worker_priority --5;",
  "worker_processes 2; worker_cpu_affinity 01 10;",
  "worker_processes 3; worker_cpu_affinity 01 10;",
  "worker_cpu_affinity 02;",
  "worker_cpu_affinity auto 11;",
  "worker_cpu_affinity auto 12;",
  "worker_cpu_affinity auto 1 1;",
  "worker_rlimit_core 1g;",
  "worker_rlimit_core 1x;",
  "worker_rlimit_nofile x;",
  "thread_pool a threads=0;",
  "thread_pool a;",
  "thread_pool a max_queue=1;",
  "thread_pool a threads=1 max_queue=x;",
  "thread_pool a threads=1 foo=x;",
  "thread_pool a threads=1; thread_pool a threads=2;",
  "debug_points foo;",
  "debug_points ABORT;",
  "env A; env B=C;",
  "env A B;",
  "working_directory /missing;",
  "daemon maybe;",
  "daemon on; master_process off;",
  "timer_resolution x;",
  ...users,
  "worker_connections 5;",
];

const EVENTS: readonly string[] = [
  "worker_connections 1;",
  "worker_connections 2;",
  "worker_connections x;",
  "worker_connections 1; worker_connections 1;",
  "use epoll;",
  "use foo;",
  "use EPOLL;",
  "debug_connection 10.0.0.0/8; debug_connection ::1; debug_connection unix:;",
  "debug_connection 10.0.0.0/33;",
  "debug_connection unix:/x;",
  "accept_mutex_delay x;",
  "multi_accept ON;",
];

/** The text of the pid file, and the signal of `-s`. */
const PIDS: readonly (readonly [text: string | null, signal: string])[] = [
  [null, "stop"],
  ["", "stop"],
  ["\n", "quit"],
  ["  12\n", "stop"],
  ["12 \n", "stop"],
  ["4194000\n", "stop"],
  ["4194000\n", "quit"],
  ["4194000\n", "reload"],
  ["4194000\n", "reopen"],
];

describe("Postern answers like nginx to", { skip, concurrency: 2 }, () => {
  let site = "";
  let remove = async (): Promise<void> => {};
  before(async () => ({ path: site, remove } = await makeScratch()));
  after(() => remove());

  for (const [index, options] of OPTIONS.entries()) {
    test(`the options "${options}"`, async () => {
      // Each test has its own file, since a test that runs beside it could read a file that is half written.
      const { file } = await write(`options${index}`, "events {}");
      const split = options
        .split(" ")
        .map((word) => (word === "|" ? "" : word.replaceAll("|", " ")));
      await agree(["-p", `${site}/`, "-e", "stderr", "-c", file, ...split]);
    });
  }

  const contents = [
    ...CORE.map((text) => `${text} events {}`),
    ...EVENTS.map((text) => `events { ${text} }`),
  ];
  for (const [index, main] of contents.entries()) {
    test(`the configuration "${main}"`, async () => {
      const { file } = await write(`core${index}`, main);
      await agree(["-p", `${site}/`, "-e", "stderr", "-c", file, "-t"]);
    });
  }

  for (const [index, [pid, signal]] of PIDS.entries()) {
    test(`-s ${signal} with ${JSON.stringify(pid)} in the pid file`, async () => {
      const { file, directory } = await write(`pid${index}`, "events {}");
      if (pid !== null) await writeFile(join(directory, "nginx.pid"), pid);
      await agree(["-p", `${site}/`, "-e", "stderr", "-c", file, "-s", signal]);
    });
  }

  /** A configuration in a directory of its own, with its pid file beside it. */
  async function write(name: string, main: string): Promise<{ file: string; directory: string }> {
    const directory = join(site, name);
    await mkdir(directory, { recursive: true });
    const file = join(directory, "mail.conf");
    const mail =
      "mail { auth_http 127.0.0.1:9; server { listen 127.0.0.1:11143; protocol imap; } }";
    await writeFile(
      file,
      `load_module ${module};\nerror_log stderr warn;\npid ${directory}/nginx.pid;\n${main}\n${mail}\n`,
    );
    return { file, directory };
  }
});

async function agree(args: readonly string[]): Promise<void> {
  const theirs = await run(nginx, args);
  const ours = await run(process.execPath, [posternEntry, ...args]);
  assert.deepEqual({ end: ours.end, lines: lines(ours.stderr) }, {
    end: theirs.end,
    lines: lines(theirs.stderr),
  } satisfies { end: End; lines: string[] });
}

/** A line that only Postern adds. */
const ADVICE = /^"\w+" takes /;

/** Without the program's name, the time, notices and advice. */
function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/^(?:nginx|postern): |^\S+ \S+ (?=\[)/, ""))
    .map((line) => line.replace(/^(\[\w+\]) \d+#\d+: /, "$1 "))
    .filter((line) => line !== "" && !line.startsWith("[notice]") && !ADVICE.test(line));
}
