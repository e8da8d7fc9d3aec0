// SIGUSR2: a new primary takes over the sockets, and no client notices.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { eventually } from "../../../support/eventually.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  loggedIn,
  untilClosed,
} from "../../../support/peers/mail-client.ts";
import { posternEntry } from "../../../support/real-servers/index.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { Program } from "../../../support/programs/program.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { codeOf, scrape, total } from "../../../support/programs/status.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";
import { Wire } from "../../../support/peers/wire.ts";
import { assertAtWork, isRefused, logOut } from "../clients.ts";
import { serve } from "../service.ts";
import { makeSite, postern } from "../site.ts";
import { serveUpgradable } from "./upgrade.ts";

const { imap, smtp } = inTheClear;
const skip = process.platform === "linux" ? false : "wants Linux";

describe("a binary upgrade", { skip, concurrency: 3 }, () => {
  test("leaves the old primary its sessions, gives the new one all others, and each has a pid file", async (t) => {
    const { program, ports, file, upgrade } = await serveUpgradable(t, { imap });
    const session = await loggedIn("imap", ports.imap);
    const fresh = await upgrade();
    assert.equal(readFileSync(file("nginx.pid"), "utf8"), `${fresh}\n`);
    assert.equal(readFileSync(file("nginx.pid.oldbin"), "utf8"), `${program.pid}\n`);

    program.signal("SIGQUIT");
    await program.logs(/gracefully shutting down/);
    const next = await loggedIn("imap", ports.imap);
    await assertAtWork(session);
    await logOut(session);
    await gone(program);
    assert.ok(!existsSync(file("nginx.pid.oldbin")));
    assert.equal(readFileSync(file("nginx.pid"), "utf8"), `${fresh}\n`);

    // Only the new primary is left.
    await assertAtWork(next);
    await logOut(next);
    process.kill(fresh, "SIGQUIT");
    assert.equal(await program.ended, 0);
    assert.ok(!existsSync(file("nginx.pid")));
    assert.ok(await isRefused(ports.imap));
  });

  test("keeps a unix socket's file, which the last primary removes", async (t) => {
    const { path, remove } = await makeScratch();
    t.after(remove);
    const unix = join(path, "mail.sock");
    const { program, upgrade } = await serveUpgradable(t, {
      imap: `listen unix:${unix}; ${imap}`,
    });
    const fresh = await upgrade();
    program.signal("SIGQUIT");
    await gone(program);
    const wire = new Wire(connect(unix));
    await wire.line();
    assert.match(await attempt("imap", wire), granted.imap);
    await logOut(wire);
    process.kill(fresh, "SIGQUIT");
    await program.ended;
    assert.ok(!existsSync(unix));
  });

  test("that fails at the start changes nothing, and may be tried again", async (t) => {
    const { path, remove } = await makeScratch();
    t.after(remove);
    const unix = join(path, "mail.sock");
    const { program, ports, file, edit, upgrade } = await serveUpgradable(t, {
      imap: `listen unix:${unix}; ${imap}`,
    });
    await edit("events {}", "events {} wonder on;");
    program.signal("SIGUSR2");
    await program.logs(/\[alert\] .* new binary process \d+ exited with code 1$/);
    assert.match(program.stderr, /\[emerg\] unknown directive "wonder"/);
    assert.equal(readFileSync(file("nginx.pid"), "utf8"), `${program.pid}\n`);
    assert.ok(!existsSync(file("nginx.pid.oldbin")));
    assert.ok(existsSync(unix));
    (await greeted("imap", ports.imap)).end();

    await edit(" wonder on;", "");
    const fresh = await upgrade();
    process.kill(fresh, "SIGQUIT");
    await program.logs(
      new RegExp(`\\[notice\\] .* new binary process ${fresh} exited with code 0$`),
    );
    assert.equal(readFileSync(file("nginx.pid"), "utf8"), `${program.pid}\n`);
    assert.ok(existsSync(unix));
    assert.equal(await program.stop("SIGQUIT"), 0);
    assert.ok(!existsSync(unix));
  });

  test("is ignored with a warning while two primaries run", async (t) => {
    const { program, ports, upgrade } = await serveUpgradable(t, { imap });
    const fresh = await upgrade();
    program.signal("SIGUSR2");
    await program.logs(/\[warn\] .*: the new binary process is running already, ignoring SIGUSR2$/);
    process.kill(fresh, "SIGUSR2");
    await program.logs(/\[warn\] .*: the old binary process is still running, ignoring SIGUSR2$/);
    (await greeted("imap", ports.imap)).end();
  });

  test("may follow another one once the old primary has ended", async (t) => {
    const { program, ports, file, upgrade } = await serveUpgradable(t, { imap });
    const second = await upgrade();
    program.signal("SIGQUIT");
    await gone(program);
    process.kill(second, "SIGUSR2");
    const [, [, third = ""] = []] = await program.logs(/start new binary process (\d+)$/, 2);
    await program.logs(new RegExp(` ${third}#${third}: start worker process`));
    assert.equal(readFileSync(file("nginx.pid"), "utf8"), `${third}\n`);
    process.kill(second, "SIGQUIT");
    await program.logs(exit(second));
    (await greeted("imap", ports.imap)).end();
    process.kill(Number(third), "SIGQUIT");
    assert.equal(await program.ended, 0);
  });

  test("starts the program that the old one's path leads to now, such as another version behind a link", async (t) => {
    const [port = 0] = await freePorts(1);
    const text = mailBlock("protocol imap;").replace("143", `127.0.0.1:${port}`);
    const site = await makeSite(t, {
      "mail.conf": `error_log stderr notice; ${text}`,
      "next/main.ts": 'process.stderr.write("the next version\\n"); process.exit(3);',
    });
    const link = join(site, "current");
    symlinkSync(dirname(posternEntry), link);
    const words = [join(link, "main.ts"), "-p", site, "-c", "mail.conf"];
    const program = new Program(process.execPath, words);
    t.after(() => program.stop());
    await program.logs(/start worker process/);
    rmSync(link);
    symlinkSync(join(site, "next"), link);
    program.signal("SIGUSR2");
    await program.logs(/^the next version$/);
    await program.logs(/new binary process \d+ exited with code 3$/);
    (await greeted("imap", port)).end();
  });

  test("leaves the old primary its configuration, even on SIGHUP", async (t) => {
    const { program, ports, edit, upgrade } = await serveUpgradable(t, { smtp });
    const fresh = await upgrade();
    await edit("mx.example.test", "new.example.test");
    program.signal("SIGHUP");
    const { pid } = program;
    await program.logs(new RegExp(` ${pid}#${pid}: worker process \\d+ exited with code 0$`));
    process.kill(fresh, "SIGTERM");
    await program.logs(/new binary process \d+ exited with code 0$/);
    const wire = await greeted("smtp", ports.smtp);
    wire.write("HELO x\r\n");
    assert.equal(await wire.line(), "250 mx.example.test");
    wire.end();
  });

  test("keeps the status ready, and leaves it to the new primary once the old one drains", async (t) => {
    const [status = 0] = await freePorts(1);
    const service = await serveUpgradable(
      t,
      { imap },
      "drain_delay 1h;",
      `status_listen 127.0.0.1:${status};`,
    );
    const { program, ports, upgrade } = service;
    const session = await loggedIn("imap", ports.imap);
    await upgrade();
    const codes = async (): Promise<ReadonlySet<number>> =>
      new Set(await Promise.all(Array.from({ length: 50 }, () => codeOf(status, "/readyz"))));
    assert.deepEqual(await codes(), new Set([200]));
    program.signal("SIGQUIT");
    await program.logs(/gracefully shutting down/);
    assert.deepEqual(await codes(), new Set([200]));
    const sessions = (await scrape(status)).filter(({ name }) => name === "postern_sessions");
    assert.equal(total(sessions, "postern_sessions", { state: "proxying" }), 0);
    await assertAtWork(session);
    session.end();
  });

  test("keeps the new primary's drain_delay, also while the old one still has sessions", async (t) => {
    const [status = 0] = await freePorts(1);
    const mail = `status_listen 127.0.0.1:${status};`;
    const { program, ports, upgrade } = await serveUpgradable(t, { imap }, "drain_delay 1h;", mail);
    const session = await loggedIn("imap", ports.imap);
    const fresh = await upgrade();
    program.signal("SIGQUIT");
    await program.logs(/gracefully shutting down/);
    process.kill(fresh, "SIGQUIT");
    await program.logs(new RegExp(` ${fresh}#${fresh}: not ready any more, accepting`));
    assert.ok(await isRefused(status), "monitors are told that all is well");
    (await greeted("imap", ports.imap)).end();
    await logOut(session);
    process.kill(fresh, "SIGTERM");
    assert.equal(await program.ended, 0);
  });

  test("leaves the new primary the file of a unix socket of status_listen", async (t) => {
    const { path, remove } = await makeScratch();
    t.after(remove);
    const status = join(path, "status.sock");
    const mail = `status_listen unix:${status};`;
    const { program, ports, upgrade } = await serveUpgradable(t, { imap }, "", mail);
    const session = await loggedIn("imap", ports.imap);
    const fresh = await upgrade();
    program.signal("SIGQUIT");
    await program.logs(/gracefully shutting down/);
    assert.ok(existsSync(status));
    await logOut(session);
    await gone(program);
    assert.ok(existsSync(status));
    process.kill(fresh, "SIGQUIT");
    await program.ended;
    assert.ok(!existsSync(status));
  });

  test("hides no session of either primary from -s who and -s kick", async (t) => {
    const { program, ports, proxy, upgrade } = await serveUpgradable(t, { imap });
    const before = await loggedIn("imap", ports.imap);
    await upgrade();
    program.signal("SIGQUIT");
    await program.logs(/gracefully shutting down/);
    const after = await loggedIn("imap", ports.imap);
    const { stdout } = await postern(proxy.directory, "-s", "who");
    assert.equal(stdout.match(/anna@example\.test/g)?.length, 2, stdout);
    assert.equal((await postern(proxy.directory, "-s", "kick", anna.login)).end, 0);
    for (const session of [before, after]) await untilClosed(session);
    await gone(program);
    assert.equal((await postern(proxy.directory, "-s", "who")).end, 0);
  });

  test("binds the addresses that only the new configuration has, and closes those that it lacks", async (t) => {
    const { program, ports, edit, upgrade } = await serveUpgradable(t, { imap, smtp });
    const [fresh = 0] = await freePorts(1);
    await edit(`127.0.0.1:${ports.imap}`, `127.0.0.1:${fresh}`);
    await upgrade();
    await program.logs(
      new RegExp(`: inherited socket 127\\.0\\.0\\.1:${ports.imap} is in no "listen", closed$`),
    );
    for (const port of [ports.imap, fresh]) (await greeted("imap", port)).end();
    program.signal("SIGQUIT");
    await gone(program);
    assert.ok(await isRefused(ports.imap));
    for (const [protocol, port] of [
      ["imap", fresh],
      ["smtp", ports.smtp],
    ] as const) {
      (await greeted(protocol, port)).end();
    }
  });
});

describe("no binary upgrade", { skip, concurrency: 2 }, () => {
  test("happens with master_process off: a warning says so, and Postern serves on", async (t) => {
    const { program, ports } = await serve(t, { imap }, "master_process off;");
    program.signal("SIGUSR2");
    await program.logs(/\[warn\] .*: there is no master process, ignoring SIGUSR2$/);
    (await greeted("imap", ports.imap)).end();
  });

  const namespaces = spawnSync("unshare", ["--pid", "--fork", "true"]).status === 0;
  test(
    "happens in process 1 of a container: a warning says so, and Postern serves on",
    { skip: !namespaces && "may not make a container" },
    async (t) => {
      const [port = 0] = await freePorts(1);
      const text = mailBlock("protocol imap;").replace("143", `127.0.0.1:${port}`);
      const site = await makeSite(t, { "mail.conf": `error_log stderr notice; ${text}` });
      const words = [posternEntry, "-p", site, "-c", "mail.conf"];
      const container = new Program(
        "unshare",
        ["--pid", "--fork", "--kill-child", process.execPath, ...words],
        { env: process.env },
      );
      t.after(() => container.stop("SIGKILL"));
      await container.logs(/ 1#1: start worker process/);
      const [pid = ""] = readFileSync(
        `/proc/${container.pid}/task/${container.pid}/children`,
        "utf8",
      ).split(" ");
      process.kill(Number(pid), "SIGUSR2");
      await container.logs(/\[warn\] 1#1: process 1 of a container .*, ignoring SIGUSR2$/);
      (await greeted("imap", port)).end();
    },
  );
});

/** Waits until the process has ended; other processes may still write to its output. */
async function gone({ pid }: Program): Promise<void> {
  await eventually(`process ${pid} is gone`, () => !existsSync(`/proc/${pid}`));
}

/** The last log line of a primary. */
function exit(pid: number | undefined): RegExp {
  return new RegExp(` ${pid}#${pid}: exit$`);
}
