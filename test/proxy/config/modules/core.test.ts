// The directives of the main context and of `events`, and nginx's errors about them.
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, test } from "node:test";
import type { Settings } from "../../../../proxy/config/index.ts";
import { configure, mailBlock, mistake } from "../../../support/proxy/configuration.ts";

function settings(main: string): Settings {
  return configure(`${main}\n${mailBlock("")}`);
}

describe("read as nginx reads it:", () => {
  const table: readonly (readonly [text: string, values: Partial<Settings>])[] = [
    ["", { worker_processes: 1, worker_priority: 0, worker_connections: 512 }],
    ["", { daemon: false, master_process: true, env: [], working_directory: null }],
    ["", { worker_rlimit_nofile: null, worker_rlimit_core: null }],
    ["", { drain_delay: 0 }],
    ["drain_delay 20s;", { drain_delay: 20_000 }],
    ["worker_processes 3;", { worker_processes: 3 }],
    ["worker_processes auto;", { worker_processes: availableParallelism() }],
    ["worker_priority 5;", { worker_priority: 5 }],
    ["worker_priority +5;", { worker_priority: 5 }],
    ["worker_priority -5;", { worker_priority: -5 }],
    ["worker_rlimit_nofile 65536;", { worker_rlimit_nofile: 65_536 }],
    ["worker_rlimit_core 512;", { worker_rlimit_core: 512 }],
    ["worker_rlimit_core 16K;", { worker_rlimit_core: 16_384 }],
    ["worker_rlimit_core 2m;", { worker_rlimit_core: 2_097_152 }],
    ["worker_rlimit_core 1g;", { worker_rlimit_core: 1_073_741_824 }],
    ["worker_cpu_affinity 01 10;", { worker_cpu_affinity: { auto: false, masks: ["01", "10"] } }],
    [
      'worker_cpu_affinity "0000 0001";',
      { worker_cpu_affinity: { auto: false, masks: ["00000001"] } },
    ],
    ["worker_cpu_affinity auto;", { worker_cpu_affinity: { auto: true, masks: [] } }],
    ["worker_cpu_affinity auto 11;", { worker_cpu_affinity: { auto: true, masks: ["11"] } }],
    ["env A; env B=x=y;", { env: ["A", "B=x=y"] }],
    ["working_directory /tmp;", { working_directory: "/tmp" }],
    ["daemon ON; master_process off;", { daemon: true, master_process: false }],
    ["events { worker_connections 4096; }", { worker_connections: 4096 }],
  ];
  for (const [text, values] of table) {
    test(`"${text}" is ${JSON.stringify(values)}`, () => {
      const all = settings(text);
      const names = Object.keys(values) as (keyof Settings)[];
      assert.deepEqual(Object.fromEntries(names.map((name) => [name, all[name]])), values);
    });
  }

  const inert = [
    "load_module modules/a.so; load_module modules/b.so;",
    "thread_pool a threads=2; thread_pool b max_queue=0 threads=1; thread_pool c threads=1 x=y;",
    "lock_file x; debug_points abort; pcre_jit on; timer_resolution 100ms; ssl_engine x;",
    "events { use epoll; multi_accept ON; accept_mutex on; accept_mutex_delay 1s; epoll_events 9; }",
    "events { debug_connection 127.0.0.1; debug_connection ::1; debug_connection 10.0.0.0/8; }",
    "events { debug_connection localhost; debug_connection unix:; worker_aio_requests 32; }",
  ];
  for (const text of inert) {
    test(`"${text}" is accepted with a notice that it has no effect`, () => {
      assert.match(settings(text).notices.join("\n"), /has no effect/);
    });
  }
});

describe("refused with nginx's error:", () => {
  const table: Readonly<Record<string, string>> = {
    "worker_processes AUTO;": '"worker_processes" directive invalid value',
    "worker_processes -1;": '"worker_processes" directive invalid value',
    "worker_priority x;": '"worker_priority" directive invalid number',
    "worker_priority -;": '"worker_priority" directive invalid number',
    "worker_priority --5;": '"worker_priority" directive invalid number',
    "worker_rlimit_nofile -1;": '"worker_rlimit_nofile" directive invalid number',
    "worker_rlimit_core 1x;": '"worker_rlimit_core" directive invalid value',
    "worker_rlimit_core -1;": '"worker_rlimit_core" directive invalid value',
    "worker_cpu_affinity 02;": 'invalid character "2" in "worker_cpu_affinity"',
    "worker_cpu_affinity auto 12;": 'invalid character "2" in "worker_cpu_affinity"',
    "worker_cpu_affinity auto 1 1;":
      'invalid number of arguments in "worker_cpu_affinity" directive',
    "thread_pool a threads=0;": 'invalid threads value "threads=0"',
    "thread_pool a threads=x;": 'invalid threads value "threads=x"',
    "thread_pool a threads=1 max_queue=x;": 'invalid max_queue value "max_queue=x"',
    "thread_pool a max_queue=1;": '"thread_pool" must have "threads" parameter',
    "thread_pool a threads=1; thread_pool a threads=2;": 'duplicate thread pool "a"',
    "thread_pool a;": 'invalid number of arguments in "thread_pool" directive',
    "debug_points foo;": 'invalid value "foo"',
    "env A B;": 'invalid number of arguments in "env" directive',
    "timer_resolution x;": '"timer_resolution" directive invalid value',
    "worker_connections 5;": '"worker_connections" directive is not allowed here',
    "events { worker_connections x; }": 'invalid number "x"',
    "events { worker_connections 1; worker_connections 2; }":
      '"worker_connections" directive is duplicate',
    "events { use foo; }": 'invalid event type "foo"',
    "events { use EPOLL; }": 'invalid event type "EPOLL"',
    "events { debug_connection 300.0.0.1; }": 'host not found in debug_connection "300.0.0.1"',
    "events { debug_connection 10.0.0.0/33; }": 'host not found in debug_connection "10.0.0.0/33"',
    "events { debug_connection unix:/x; }": 'host not found in debug_connection "unix:/x"',
    "events { accept_mutex_delay x; }": '"accept_mutex_delay" directive invalid value',
  };
  for (const [text, message] of Object.entries(table)) {
    test(text, () => {
      assert.equal(mistake(`\n${text}`), `${message} in /conf/main.conf:2`);
    });
  }
});
