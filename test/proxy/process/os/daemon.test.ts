// `daemon on`: the command returns, and the daemon goes on without a terminal.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, readlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { eventually } from "../../../support/eventually.ts";
import { greeted, untilClosed } from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { run } from "../../../support/programs/program.ts";
import { isRefused } from "../clients.ts";
import { makeSite, postern } from "../site.ts";

interface Daemon {
  readonly site: string;
  readonly port: number;
  readonly pid: number;
  /** Waits until so many lines of the error log match. */
  readonly logs: (pattern: RegExp, times?: number) => Promise<void>;
  readonly ended: () => Promise<unknown>;
}

async function daemon(t: TestContext): Promise<Daemon> {
  const [port = 0] = await freePorts(1);
  const mail = mailBlock("protocol imap;").replace("143", `127.0.0.1:${port}`);
  const main = "daemon on; pid nginx.pid; error_log error.log notice;";
  const site = await makeSite(t, { "mail.conf": `${main} ${mail}` });
  // It is over when nobody holds its output any more.
  assert.deepEqual(await postern(site), { end: 0, stdout: "", stderr: "" });
  const pid = Number(await readFile(join(site, "nginx.pid"), "utf8"));
  const ended = () => run("tail", [`--pid=${pid}`, "-f", "/dev/null"]);
  t.after(async () => {
    // Another one, where the program was changed.
    const last = Number(await readFile(join(site, "nginx.pid"), "utf8").catch(() => pid));
    for (const one of new Set([pid, last])) if (existsSync(`/proc/${one}`)) process.kill(one);
    await ended();
  });
  return {
    site,
    port,
    pid,
    ended,
    logs: async (pattern, times = 1) => {
      const every = new RegExp(pattern.source, "g");
      const text = () => readFile(join(site, "error.log"), "utf8");
      await eventually(
        `the error log has ${pattern.source}, ${times} times`,
        async () => ((await text()).match(every)?.length ?? 0) >= times,
      );
    },
  };
}

describe("daemon on", { concurrency: 4 }, () => {
  test("returns once connections are accepted, and leaves the terminal", async (t) => {
    const { port, pid } = await daemon(t);
    (await greeted("imap", port)).end();
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const [, , group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    assert.deepEqual([group, session], [`${pid}`, `${pid}`]);
    for (const fd of [0, 1, 2]) assert.equal(await readlink(`/proc/${pid}/fd/${fd}`), "/dev/null");
  });

  test("-s stop ends it", async (t) => {
    const { site, port, ended } = await daemon(t);
    assert.equal((await postern(site, "-s", "stop")).end, 0);
    await ended();
    assert.ok(await isRefused(port));
    assert.ok(!existsSync(join(site, "nginx.pid")));
  });

  test("a start that fails is reported at the terminal, with exit code 1", async (t) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const mail = mailBlock("protocol imap;").replace("143", `127.0.0.1:${port}`);
    const site = await makeSite(t, { "mail.conf": `daemon on; pid nginx.pid; ${mail}` });
    const { end, stderr } = await postern(site);
    assert.equal(end, 1);
    assert.match(stderr, new RegExp(`\\[emerg\\] .*bind\\(\\) to 127\\.0\\.0\\.1:${port} failed`));
    assert.ok(!existsSync(join(site, "nginx.pid")));
  });

  test("SIGWINCH ends the workers, and SIGHUP starts others", async (t) => {
    const { site, port, pid, logs, ended } = await daemon(t);
    const bystander = await greeted("imap", port);
    process.kill(pid, "SIGWINCH");
    assert.match((await untilClosed(bystander)).join("\n"), /^\* BYE /);
    await logs(/signal 28 \(SIGWINCH\) received/);
    await logs(/worker process \d+ exited with code 0/);
    assert.equal(await readFile(join(site, "nginx.pid"), "utf8"), `${pid}\n`);
    process.kill(pid, "SIGHUP");
    (await greeted("imap", port)).end();
    assert.equal((await postern(site, "-s", "quit")).end, 0);
    await ended();
  });

  test("SIGWINCH during a reload ends the workers of both configurations", async (t) => {
    const { site, port, pid, logs } = await daemon(t);
    const bystander = await greeted("imap", port);
    const text = await readFile(join(site, "mail.conf"), "utf8");
    await writeFile(join(site, "mail.conf"), `${text} http {}`);
    process.kill(pid, "SIGHUP");
    // The new workers are not there yet.
    await logs(/"http" block .* is skipped/);
    process.kill(pid, "SIGWINCH");
    assert.match((await untilClosed(bystander)).join("\n"), /^\* BYE /);
    await logs(/worker process \d+ exited/, 2);
    process.kill(pid, "SIGHUP");
    (await greeted("imap", port)).end();
  });

  test("with no workers left after SIGWINCH, SIGQUIT and SIGTERM end it", async (t) => {
    for (const word of ["quit", "stop"]) {
      const { site, port, pid, logs, ended } = await daemon(t);
      process.kill(pid, "SIGWINCH");
      await logs(/worker process \d+ exited with code 0/);
      assert.equal((await postern(site, "-s", word)).end, 0);
      await ended();
      assert.ok(await isRefused(port));
    }
  });

  test("after SIGWINCH, a reload may close an address", async (t) => {
    const { site, port, pid, logs } = await daemon(t);
    const [fresh = 0] = await freePorts(1);
    process.kill(pid, "SIGWINCH");
    await logs(/worker process \d+ exited with code 0/);
    const text = await readFile(join(site, "mail.conf"), "utf8");
    await writeFile(join(site, "mail.conf"), text.replace(`${port}`, `${fresh}`));
    process.kill(pid, "SIGHUP");
    await logs(/start worker process/, 2);
    (await greeted("imap", fresh)).end();
    assert.ok(await isRefused(port));
  });

  test("SIGUSR2 upgrades the daemon, and a SIGHUP after SIGWINCH goes back to the old primary", async (t) => {
    const { site, port, pid, logs } = await daemon(t);
    const found = (name: string): Promise<number> =>
      readFile(join(site, name), "utf8").then(Number);
    process.kill(pid, "SIGUSR2");
    await logs(/start worker process/, 2);
    const fresh = await found("nginx.pid");
    assert.notEqual(fresh, pid);
    assert.equal(await found("nginx.pid.oldbin"), pid);

    process.kill(pid, "SIGWINCH");
    await logs(/worker process \d+ exited with code 0/);
    (await greeted("imap", port)).end();
    await logs(new RegExp(`${fresh}#${fresh}: start worker process`));

    process.kill(fresh, "SIGQUIT");
    await logs(new RegExp(`new binary process ${fresh} exited with code 0`));
    await logs(/start worker process/, 3);
    assert.equal(await found("nginx.pid"), pid);
    (await greeted("imap", port)).end();
  });

  test("SIGUSR2 and SIGQUIT leave the new primary, which -s finds", async (t) => {
    const { site, port, pid, logs, ended } = await daemon(t);
    process.kill(pid, "SIGUSR2");
    await logs(/start worker process/, 2);
    process.kill(pid, "SIGQUIT");
    await ended();
    const fresh = Number(await readFile(join(site, "nginx.pid"), "utf8"));
    (await greeted("imap", port)).end();
    assert.equal((await postern(site, "-s", "quit")).end, 0);
    await logs(new RegExp(`${fresh}#${fresh}: exit\n`));
    assert.ok(await isRefused(port));
  });
});
