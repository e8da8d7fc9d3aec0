// The unix socket by which `-s who` and `-s kick` reach the process that serves.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { eventually } from "../../../support/eventually.ts";
import { anna, greeted } from "../../../support/peers/mail-client.ts";
import { freePorts, isFree } from "../../../support/programs/ports.ts";
import { type Program, run } from "../../../support/programs/program.ts";
import { serveControlled } from "./control-site.ts";
import { makeSite, postern, start } from "../site.ts";
import { upgrades } from "../primary/upgrade.ts";

const SOCKET = "nginx.pid.sock";

/** Bytes of a path that fit into a socket's address. */
const LONGEST = process.platform === "linux" ? 107 : 103;

type Site = { readonly site: string; readonly path: string; readonly port: number };

/** A directory with a configuration for a port that is free. */
async function prepare(t: TestContext, main = ""): Promise<Site> {
  const [port = 0] = await freePorts(1);
  const site = await makeSite(t, { "mail.conf": configuration(port, "nginx.pid", main) });
  return { site, path: join(site, SOCKET), port };
}

function configuration(port: number, pid: string, main = ""): string {
  const mail = mailBlock("protocol imap;").replace("143", `127.0.0.1:${port}`);
  return `pid ${pid}; error_log stderr notice; ${main}\n${mail}`;
}

async function started(t: TestContext, { site }: Site, ...args: string[]): Promise<Program> {
  const program = start(t, site, ...args);
  await program.logs(/start worker process/);
  return program;
}

/** The reply of the socket to these bytes, up to the end of the connection. */
async function said(path: string, bytes: string): Promise<string> {
  const socket = connect(path);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(bytes);
  return text(socket);
}

describe("the control socket", { concurrency: 3 }, () => {
  test("is its owner's alone, and is removed with the process", async (t) => {
    for (const signal of ["SIGTERM", "SIGQUIT"] as const) {
      const place = await prepare(t);
      const program = await started(t, place);
      assert.equal(statSync(place.path).mode & 0o777, 0o600);
      assert.equal(await program.stop(signal), 0);
      assert.ok(!existsSync(place.path));
    }
  });

  test("that a killed process has left behind is replaced", async (t) => {
    const place = await prepare(t);
    const program = await started(t, place);
    await program.stop("SIGKILL");
    assert.ok(existsSync(place.path));
    const { end, stderr } = await postern(place.site, "-s", "who");
    assert.equal(end, 1);
    assert.equal(
      stderr,
      `postern: [error] request to ${place.path} failed (111: Connection refused), ` +
        "Postern is not running any more\n",
    );
    // Its workers are not far behind.
    await eventually(`port ${place.port} is free`, () => isFree(place.port));
    await started(t, place);
    assert.equal((await postern(place.site, "-s", "who")).end, 0);
  });

  test("of another process is left alone, and so is a file that is no socket", async (t) => {
    const listening = await prepare(t);
    const other = createServer().listen(listening.path);
    await once(other, "listening");
    t.after(() => other.close());
    const file = await prepare(t);
    await writeFile(file.path, "mine");
    for (const place of [listening, file]) {
      const program = await started(t, place);
      assert.match(
        program.stderr,
        /\[warn\] .*"-s who" and "-s kick" will not reach this process: bind\(\) to unix:\S+ failed \(98: Address already in use\)$/m,
      );
      (await greeted("imap", place.port)).end();
      assert.equal(await program.stop(), 0);
      assert.ok(existsSync(place.path));
    }
  });

  test("moves with the pid file at a reload", async (t) => {
    const place = await prepare(t);
    const program = await started(t, place);
    await writeFile(join(place.site, "mail.conf"), configuration(place.port, "other.pid"));
    program.signal("SIGHUP");
    await program.logs(/worker process \d+ exited with code 0/);
    assert.ok(!existsSync(place.path));
    assert.equal((await postern(place.site, "-s", "who")).end, 0);
    assert.equal(await program.stop(), 0);
    assert.ok(!existsSync(join(place.site, "other.pid.sock")));
  });

  test("stays open while old sessions go on", async (t) => {
    const { program, who, kick, logIn } = await serveControlled(t);
    await logIn();
    program.signal("SIGQUIT");
    await program.logs(/gracefully shutting down/);
    assert.equal((await who()).length, 1);
    assert.equal(await kick(anna.login), "1 session ended\n");
    assert.equal(await program.ended, 0);
  });

  test("of the old primary is asked as well during a binary upgrade", async (t) => {
    const place = await prepare(t);
    const before = await started(t, place, "-g", "worker_processes 1;");
    for (const name of ["nginx.pid", SOCKET]) {
      await rename(join(place.site, name), join(place.site, name.replace(".pid", ".pid.oldbin")));
    }
    const [port = 0] = await freePorts(1);
    await writeFile(join(place.site, "mail.conf"), configuration(port, "nginx.pid"));
    await started(t, place);
    const clients = [await greeted("imap", place.port), await greeted("imap", port)];
    const { end, stdout } = await postern(place.site, "-s", "who");
    assert.equal(end, 0);
    const workers = [...stdout.matchAll(/"worker":(\d+)/g)].map(([, pid]) => pid);
    assert.ok(new Set(workers).size === 2, stdout);
    await before.stop("SIGKILL");
    assert.equal((await postern(place.site, "-s", "who")).end, 0);
    for (const client of clients) client.end();
  });

  test("is the new primary's, also where the old one's path is too long", async (t) => {
    const changer = upgrades(t);
    const place = await prepare(t);
    const deep = join(place.site, "d".repeat(LONGEST - `${place.site}//${SOCKET}`.length));
    await mkdir(deep);
    await writeFile(join(place.site, "mail.conf"), configuration(place.port, `${deep}/nginx.pid`));
    const program = await started(t, place);
    const upgrade = changer(program);
    await upgrade();
    await program.logs(/will not reach this process: .*\.oldbin\.sock is longer/);
    program.signal("SIGQUIT");
    await program.logs(new RegExp(`${program.pid}#${program.pid}: exit$`));
    assert.equal((await postern(place.site, "-s", "who")).end, 0);
  });

  test("works for a daemon", async (t) => {
    const { site, path } = await prepare(t, "daemon on;");
    assert.equal((await postern(site)).end, 0);
    const pid = Number(await readFile(join(site, "nginx.pid"), "utf8"));
    t.after(() => existsSync(`/proc/${pid}`) && process.kill(pid));
    assert.equal((await postern(site, "-s", "kick", "anna")).stdout, "0 sessions ended\n");
    assert.equal((await postern(site, "-s", "stop")).end, 0);
    await run("tail", [`--pid=${pid}`, "-f", "/dev/null"]);
    assert.ok(!existsSync(path));
  });

  test("answers requests for its pages, and survives all others", async (t) => {
    const place = await prepare(t);
    const program = await started(t, place);
    const first = async (bytes: string): Promise<string> =>
      (await said(place.path, bytes)).replace(/\r\n[^]*/, "");
    const asking = (line: string): string =>
      `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    assert.equal(await first(asking("GET /")), "HTTP/1.1 404 Not Found");
    assert.equal(await first(asking("GET /metrics")), "HTTP/1.1 404 Not Found");
    assert.equal(await first(asking("POST /sessions")), "HTTP/1.1 405 Method Not Allowed");
    assert.equal(await first(asking("DELETE /sessions")), "HTTP/1.1 400 Bad Request");
    assert.equal(await first(asking("DELETE /sessions?user=")), "HTTP/1.1 400 Bad Request");
    assert.match(
      await said(place.path, asking("DELETE /sessions?user=a?b")),
      /\{"ended":0,"silent":\[\]\}\n/,
    );
    await program.logs(/kicked "a\?b", sessions ended: 0$/);
    assert.equal(await first(asking("DELETE /sessions?user=%ff%00%0d")), "HTTP/1.1 200 OK");
    assert.equal(await first("\x16\x03\x01\x02"), "HTTP/1.1 400 Bad Request");
    assert.equal(
      await first(`GET /sessions?${"x".repeat(20_000)} HTTP/1.1\r\n`),
      "HTTP/1.1 431 Request Header Fields Too Large",
    );
    const hasty = connect(place.path);
    hasty.write(asking("GET /sessions"));
    hasty.destroy();
    assert.equal(await first(asking("HEAD /sessions")), "HTTP/1.1 200 OK");
    assert.match(await said(place.path, asking("GET /sessions")), /\{"sessions":\[\n\s*[\]{]/);
    assert.doesNotMatch(program.stderr, /alert|emerg/);
  });
});

describe("-s who says", { concurrency: 3 }, () => {
  test("that Postern is not running", async (t) => {
    const { site, path } = await prepare(t);
    assert.deepEqual(await postern(site, "-s", "who"), {
      end: 1,
      stdout: "",
      stderr:
        `postern: [error] request to ${path} failed (2: No such file or directory), ` +
        "is Postern running with this configuration? If it is, its error log says more\n",
    });
  });

  test("that no pid file is configured", async (t) => {
    const site = await makeSite(t, { "mail.conf": mailBlock("") });
    const { end, stderr } = await postern(site, "-s", "who");
    assert.equal(end, 1);
    assert.match(stderr, /^postern: \[error\] no "pid" file is configured.*\n$/);
  });

  test("that the path is too long for a socket; a start says so as well, and serves", async (t) => {
    const place = await prepare(t);
    const deep = join(place.site, "d".repeat(100));
    await mkdir(deep);
    await writeFile(join(place.site, "mail.conf"), configuration(place.port, `${deep}/nginx.pid`));
    const program = await started(t, place);
    const complaint = `a unix socket's path may have \\d+ bytes, and ${deep}/${SOCKET} is longer: give "pid" a shorter path`;
    assert.match(
      program.stderr,
      new RegExp(`\\[warn\\] .* will not reach this process: ${complaint}$`, "m"),
    );
    (await greeted("imap", place.port)).end();
    const { end, stderr } = await postern(place.site, "-s", "who");
    assert.equal(end, 1);
    assert.match(stderr, new RegExp(`^postern: \\[error\\] ${complaint}\n$`));
  });
});
