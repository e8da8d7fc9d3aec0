// Core directives that set up a worker process: priority, limits, CPUs, directory, environment.
import assert from "node:assert/strict";
import { readFile, readlink, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { CpuAffinity } from "../../../../proxy/config/index.ts";
import { cpuMask } from "../../../../proxy/process/worker/worker-setup.ts";
import { greeted } from "../../../support/peers/mail-client.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { serve } from "../service.ts";

const { imap } = inTheClear;

/** A worker that gets SIGPWR tries what is forbidden, and says what Node has denied. */
const PROBE = `
import { fork, spawnSync } from "node:child_process";
import cluster from "node:cluster";
import { Worker } from "node:worker_threads";
const tries = {
  spawnSync: () => spawnSync("true"),
  fork: () => fork("/dev/null"),
  Worker: () => new Worker("", { eval: true }),
};
const isDenied = (attempt) => {
  try {
    attempt();
    return false;
  } catch (error) {
    return error.code === "ERR_ACCESS_DENIED";
  }
};
if (cluster.isWorker) process.on("SIGPWR", () => {
  console.error("denied:", ...Object.keys(tries).filter((name) => isDenied(tries[name])));
});`;

/** The text of a file of a process in `/proc`. */
function proc(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, "utf8");
}

describe("a worker process", { concurrency: 4 }, () => {
  test("has the configured priority, limits, CPUs and directory", async (t) => {
    const main =
      `worker_priority +3; worker_rlimit_nofile 2000; worker_rlimit_core 1m;` +
      `worker_cpu_affinity auto; working_directory ${tmpdir()};`;
    const { program, workers, ports } = await serve(t, { imap }, main);
    const [first = 0] = await workers(1);
    await assertSettled(first);
    process.kill(first, "SIGKILL");
    const [, second = 0] = await workers(2);
    await assertSettled(second);
    assert.equal(await readlink(`/proc/${program.pid}/cwd`), process.cwd());
    (await greeted("imap", ports.imap)).end();
    assert.doesNotMatch(program.stderr, /\[(warn|alert)\].* failed/);
  });

  async function assertSettled(pid: number): Promise<void> {
    const stat = await proc(pid, "stat");
    assert.equal(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16], "3");
    const limits = await proc(pid, "limits");
    assert.match(limits, /^Max open files +2000 +2000 /m);
    assert.match(limits, /^Max core file size +1048576 +1048576 /m);
    assert.match(await proc(pid, "status"), /^Cpus_allowed_list:\t0$/m);
    assert.equal(await readlink(`/proc/${pid}/cwd`), tmpdir());
  }

  test("has the environment variables of env, and those that Node needs", async (t) => {
    process.env["POSTERN_KEPT"] = "kept";
    process.env["POSTERN_DROPPED"] = "dropped";
    t.after(() => {
      delete process.env["POSTERN_KEPT"];
      delete process.env["POSTERN_DROPPED"];
    });
    const main = "env POSTERN_KEPT; env POSTERN_SET=a=b; env POSTERN_UNKNOWN; env TZ=Asia/Tokyo;";
    const { workers } = await serve(t, { imap }, main);
    const [worker = 0] = await workers(1);
    const variables = (await proc(worker, "environ")).split("\0").filter(Boolean);
    const names = variables.map((variable) => variable.replace(/=.*/s, ""));
    for (const variable of ["POSTERN_KEPT=kept", "POSTERN_SET=a=b", "TZ=Asia/Tokyo"]) {
      assert.ok(variables.includes(variable), variable);
    }
    const others = names.filter((name) => !/^(NODE|LD|UV|SSL_CERT)_|^OPENSSL_CONF$/.test(name));
    assert.deepEqual(others.toSorted(), ["POSTERN_KEPT", "POSTERN_SET", "TZ"]);
  });

  test("goes on where a limit cannot be set, and logs it", async (t) => {
    const { program, ports } = await serve(t, { imap }, "worker_rlimit_nofile 99999999999;");
    await program.logs(
      /\[alert\] .*setrlimit\(RLIMIT_NOFILE, 99999999999\) failed \(1: Operation not permitted\)$/,
    );
    (await greeted("imap", ports.imap)).end();
  });

  test("that cannot enter its directory is not replaced", async (t) => {
    const { program, edit, ports, workers } = await serve(t, { imap });
    const [first = 0] = await workers(1);
    await edit("events {}", "worker_processes 2; working_directory /missing; events {}");
    program.signal("SIGHUP");
    const fatal =
      /\[alert\] .*worker process (\d+) exited with fatal code 2 and cannot be respawned$/;
    const lost = await program.logs(fatal, 2);
    await program.logs(
      /\[alert\] .*chdir\("\/missing"\) failed \(2: No such file or directory\)$/,
      2,
    );
    for (const [, pid] of lost) {
      assert.match(program.stderr, new RegExp(`worker process ${pid} exited with code 2$`, "m"));
    }
    // Those of the last configuration that could start still serve, until there is a better one.
    (await greeted("imap", ports.imap)).end();
    await edit("working_directory /missing;", "");
    program.signal("SIGHUP");
    await program.logs(new RegExp(`worker process ${first} exited with code 0`));
    (await greeted("imap", ports.imap)).end();
    assert.equal(program.stderr.match(/exited with fatal code/g)?.length, 2);
    assert.equal(await program.stop(), 0);
  });
});

test("with a primary that is root may have a negative worker_priority", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("not root");
  const { workers } = await serve(t, { imap }, "worker_priority -3;");
  const [worker = 0] = await workers(1);
  const stat = await proc(worker, "stat");
  assert.equal(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16], "-3");
});

// Apart from the others, whose programs would get NODE_OPTIONS too.
test("a worker process may start no program, no thread and no debugger, and says nothing of it at its start", async (t) => {
  const { path, remove } = await makeScratch();
  t.after(remove);
  const probe = join(path, "probe.mjs");
  await writeFile(probe, PROBE);
  process.env["NODE_OPTIONS"] = `--import ${probe}`;
  const { program, workers, ports } = await serve(t, { imap }).finally(() => {
    delete process.env["NODE_OPTIONS"];
  });
  (await greeted("imap", ports.imap)).end();
  const [worker = 0] = await workers(1);
  process.kill(worker, "SIGPWR");
  const [[, told = ""] = []] = await program.logs(/^denied: (.*)$/);
  assert.equal(told, "spawnSync fork Worker");
  assert.doesNotMatch(program.stderr, /Warning/);
});

describe("worker_cpu_affinity", () => {
  const auto = (...masks: string[]): CpuAffinity => ({ auto: true, masks });
  const masks = (...given: string[]): CpuAffinity => ({ auto: false, masks: given });
  const table: readonly (readonly [CpuAffinity, index: number, mask: string | null])[] = [
    [masks(), 0, null],
    [masks("01", "10"), 0, "1"],
    [masks("01", "10"), 1, "2"],
    [masks("01", "10"), 2, "2"],
    [masks("1".repeat(64)), 0, "f".repeat(16)],
    [auto(), 0, "1"],
    [auto(), 3, "8"],
    [auto(), 4, "1"],
    [auto("1010"), 0, "2"],
    [auto("1010"), 1, "8"],
    [auto("1010"), 2, "2"],
    [auto("0"), 0, null],
  ];
  for (const [affinity, index, mask] of table) {
    test(`${JSON.stringify(affinity)} gives worker ${index} of four CPUs ${mask}`, () => {
      assert.equal(cpuMask(affinity, index, 4), mask);
    });
  }

  test("each worker has the mask of its number", async (t) => {
    if (cpus().length < 2) return t.skip("one CPU");
    const main = "worker_processes 2; worker_cpu_affinity 01 10;";
    const { workers } = await serve(t, { imap }, main);
    const lists = (await workers(2)).map(async (pid) => {
      const [, list] = /^Cpus_allowed_list:\t(.*)$/m.exec(await proc(pid, "status")) ?? [];
      return list;
    });
    assert.deepEqual(new Set(await Promise.all(lists)), new Set(["0", "1"]));
  });
});
