// Listening sockets that were bound before the start: systemd's LISTEN_FDS.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { bind } from "../../../../proxy/transport/index.ts";
import { greeted } from "../../../support/peers/mail-client.ts";
import { posternEntry } from "../../../support/real-servers/index.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { Program } from "../../../support/programs/program.ts";
import { codeOf } from "../../../support/programs/status.ts";
import { Wire } from "../../../support/peers/wire.ts";
import { isRefused } from "../clients.ts";
import { makeSite } from "../site.ts";

const skip =
  process.platform === "linux" &&
  networkInterfaces()["lo"]?.some(({ family }) => family === "IPv6") === true
    ? false
    : "wants Linux with IPv6";

/** A directory with this configuration; DIRECTORY is where it is. */
async function site(t: TestContext, listens: string, mail = "", main = ""): Promise<string> {
  const text = `error_log stderr notice; ${main} events {} mail { auth_http 127.0.0.1:9; ${mail}`;
  return makeSite(t, { "mail.conf": `${text} server { ${listens} protocol imap; } }` });
}

/** A descriptor that is bound until the test is over. */
function bound(t: TestContext, host: string, port = 0): number {
  const socket = bind({ host, port });
  t.after(() => socket.close());
  return socket.fd;
}

function words(directory: string): string[] {
  return [posternEntry, "-p", directory, "-c", "mail.conf"];
}

/** Starts Postern as systemd does. @param pid of whom the descriptors are, in the shell's words */
function activate(
  t: TestContext,
  directory: string,
  descriptors: readonly number[],
  pid = "$$",
): Program {
  const environment = `LISTEN_PID=${pid} LISTEN_FDS=${descriptors.length} LISTEN_FDNAMES=bound`;
  // The shell sets LISTEN_PID, because the pid is known only after the fork.
  const script = `${environment} exec "$0" "$@"`;
  const program = new Program("sh", ["-c", script, process.execPath, ...words(directory)], {
    descriptors,
  });
  t.after(() => program.stop());
  return program;
}

async function greeting(path: string): Promise<string> {
  const wire = new Wire(connect(path));
  const line = await wire.line();
  wire.end();
  return line;
}

describe("an inherited socket", { skip, concurrency: 3 }, () => {
  test("is used for a listen of its address: IPv4, IPv6, unix and status", async (t) => {
    const [port = 0, status = 0, other = 0] = await freePorts(3);
    const scratch = await makeSite(t, {});
    const unix = join(scratch, "mail.sock");
    const directory = await site(
      t,
      `listen 127.0.0.1:${port}; listen [::1]:${port}; listen unix:${unix}; listen 127.0.0.1:${other};`,
      `status_listen 127.0.0.1:${status};`,
    );
    const descriptors = [
      bound(t, "127.0.0.1", port),
      bound(t, "::1", port),
      bound(t, `unix:${unix}`),
      bound(t, "127.0.0.1", status),
    ];
    const program = activate(t, directory, descriptors);
    const [[, worker] = []] = await program.logs(/start worker process (\d+)/);
    for (const at of [
      `127.0.0.1:${port}`,
      `[::1]:${port}`,
      `unix:${unix}`,
      `127.0.0.1:${status}`,
    ]) {
      assert.ok(
        program.stderr.includes(
          ` [notice] ${program.pid}#${program.pid}: using inherited socket ${at}\n`,
        ),
        at,
      );
    }
    assert.doesNotMatch(program.stderr, /\[emerg\]|closed/);
    for (const at of [port, other]) (await greeted("imap", at)).end();
    assert.match(await greeting(unix), /^\* OK/);
    assert.equal(await codeOf(status, "/readyz"), 200);
    // The worker's environment has no LISTEN_ variables.
    assert.doesNotMatch(readFileSync(`/proc/${worker}/environ`, "latin1"), /LISTEN_/);
    // The process that has bound the socket keeps its file.
    assert.equal(await program.stop("SIGQUIT"), 0);
    assert.ok(existsSync(unix));
  });

  test("without a listen is closed with a notice, and a descriptor that is no socket is left alone", async (t) => {
    const [port = 0, stray = 0] = await freePorts(2);
    const file = openSync("/dev/null", "r");
    t.after(() => closeSync(file));
    const directory = await site(t, `listen 127.0.0.1:${port};`);
    const program = activate(t, directory, [bound(t, "127.0.0.1", stray), file]);
    await program.logs(/start worker process/);
    assert.match(
      program.stderr,
      new RegExp(
        `\\[notice\\] .*: inherited socket 127\\.0\\.0\\.1:${stray} is in no "listen", closed$`,
        "m",
      ),
    );
    assert.match(
      program.stderr,
      /\[notice\] .*: inherited descriptor 4 is no listening socket, ignored$/m,
    );
    (await greeted("imap", port)).end();
  });

  test("meant for another process is not used", async (t) => {
    const [port = 0, stray = 0] = await freePorts(2);
    const directory = await site(t, `listen 127.0.0.1:${port};`);
    const program = activate(t, directory, [bound(t, "127.0.0.1", stray)], "1");
    await program.logs(/start worker process/);
    assert.doesNotMatch(program.stderr, /inherited/);
  });

  test("is handed on to the daemon", async (t) => {
    const [port = 0] = await freePorts(1);
    const directory = await site(
      t,
      `listen 127.0.0.1:${port};`,
      "",
      "daemon on; pid nginx.pid; error_log error.log notice;",
    );
    const program = activate(t, directory, [bound(t, "127.0.0.1", port)]);
    assert.equal(await program.ended, 0);
    const pid = Number(readFileSync(join(directory, "nginx.pid"), "utf8"));
    t.after(() => process.kill(pid));
    (await greeted("imap", port)).end();
    const log = readFileSync(join(directory, "error.log"), "utf8");
    assert.match(
      log,
      new RegExp(`${pid}#${pid}: using inherited socket 127\\.0\\.0\\.1:${port}$`, "m"),
    );
  });

  const activator = "systemd-socket-activate";
  const absent = spawnSync(activator, ["--version"]).error !== undefined && `no ${activator}`;
  test("serves the client for which systemd has started Postern", { skip: absent }, async (t) => {
    const [port = 0] = await freePorts(1);
    const directory = await site(t, `listen 127.0.0.1:${port};`);
    const command = [process.execPath, ...words(directory)];
    const program = new Program(activator, ["-l", `127.0.0.1:${port}`, ...command], {
      env: process.env,
    });
    t.after(() => program.stop());
    await program.logs(/Listening on 127/);
    assert.doesNotMatch(program.stderr, /start worker process/);
    const client = await greeted("imap", port);
    await program.logs(/using inherited socket/);
    client.end();
    assert.equal(await program.stop("SIGQUIT"), 0);
    assert.ok(await isRefused(port));
  });
});
