// The user that workers run as, with a primary that is root.
import assert from "node:assert/strict";
import { readFile, rename, stat } from "node:fs/promises";
import { describe, test } from "node:test";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { greeted, greetedSecurely } from "../../../support/peers/mail-client.ts";
import { run } from "../../../support/programs/program.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { serve } from "../service.ts";
import { makeSite, postern, refusedStart } from "../site.ts";

const { imap } = inTheClear;
const skip = process.getuid?.() !== 0 && "not root";

describe("with a primary that is root", { skip, concurrency: 4 }, () => {
  const asked: Readonly<Record<string, readonly [user: string, group: string]>> = {
    "": ["nobody", "nogroup"],
    "user daemon;": ["daemon", "daemon"],
    "user daemon nogroup;": ["daemon", "nogroup"],
  };
  for (const [directive, [user, group]] of Object.entries(asked)) {
    test(`"${directive}" makes workers ${user} of ${group}`, async (t) => {
      const { program, workers } = await serve(t, { imap }, directive);
      const [worker = 0] = await workers(1);
      const [uid, gid] = [await number("passwd", user), await number("group", group)];
      const ids = await identity(worker);
      assert.deepEqual(
        ids.uid,
        Array.from({ length: 4 }, () => uid),
      );
      assert.deepEqual(
        ids.gid,
        Array.from({ length: 4 }, () => gid),
      );
      assert.deepEqual([ids.groups.includes(gid), ids.groups.includes(0)], [true, false]);
      assert.deepEqual((await identity(program.pid!)).uid, [0, 0, 0, 0]);
    });
  }

  test("the replacement of a worker is nobody as well", async (t) => {
    const { workers } = await serve(t, { imap });
    const [first = 0] = await workers(1);
    process.kill(first, "SIGKILL");
    const [, second = 0] = await workers(2);
    assert.deepEqual((await identity(second)).uid, (await nobody()).uid);
  });

  test("the workers of a reload run as its configuration says", async (t) => {
    const { program, edit, workers } = await serve(t, { imap }, "user nobody;");
    await edit("user nobody;", "user daemon;");
    program.signal("SIGHUP");
    const [, second = 0] = await workers(2);
    const uid = await number("passwd", "daemon");
    assert.deepEqual((await identity(second)).uid, [uid, uid, uid, uid]);
  });

  test("TLS is served although the key is root's alone", async (t) => {
    const tls = "listen 127.0.0.1:PORT ssl; protocol imap;";
    const { ports, file, program } = await serve(t, { tls });
    assert.equal((await stat(file("key.pem"))).mode & 0o777, 0o600);
    (await greetedSecurely("imap", ports.tls)).end();
    program.signal("SIGHUP");
    await program.logs(/worker process \d+ exited with code 0/);
    (await greetedSecurely("imap", ports.tls)).end();
  });

  test("log files belong to the workers, also after a reopening", async (t) => {
    const { program, file, ports } = await serve(t, { imap }, "error_log error.log info;");
    const uid = await number("passwd", "nobody");
    assert.equal((await stat(file("error.log"))).uid, uid);
    await rename(file("error.log"), file("error.log.1"));
    program.signal("SIGUSR1");
    let text = "";
    while (!/ client .* connected/.test(text)) {
      (await greeted("imap", ports.imap)).end();
      text = await readFile(file("error.log"), "utf8").catch(() => "");
    }
    assert.equal((await stat(file("error.log"))).uid, uid);
    assert.equal(await program.stop(), 0);
    assert.match(await readFile(file("error.log"), "utf8"), /: exit\n$/);
  });

  const unknown = {
    "user nosuch;": 'getpwnam("nosuch")',
    "user nobody nosuch;": 'getgrnam("nosuch")',
  };
  for (const [directive, call] of Object.entries(unknown)) {
    const files = { "mail.conf": `${directive} ${mailBlock("")}` };

    test(`"${directive}" does not start`, async (t) => {
      const { end, stderr } = await refusedStart(t, await makeSite(t, files));
      assert.equal(end, 1);
      assert.match(stderr, new RegExp(`^postern: \\[emerg\\] .* failed in \\S+/mail.conf:1\n$`));
      assert.ok(stderr.includes(call), stderr);
    });

    test(`"${directive}" does not pass -t`, async (t) => {
      const site = await makeSite(t, files);
      const { end, stderr } = await postern(site, "-t");
      assert.equal(end, 1);
      const [mistake] = stderr.split("\n");
      assert.equal(mistake, `postern: [emerg] ${call} failed in ${site}/mail.conf:1`);
    });
  }

  test("a reload with an unknown user is logged, and the old configuration goes on", async (t) => {
    const { program, edit, ports } = await serve(t, { imap }, "user nobody;");
    await edit("user nobody;", "user nosuch;");
    program.signal("SIGHUP");
    await program.logs(/\[emerg\] .*getpwnam\("nosuch"\) failed/);
    (await greeted("imap", ports.imap)).end();
  });
});

type Identity = Readonly<Record<"uid" | "gid" | "groups", readonly number[]>>;

/** Real, effective, saved and for files: all must be given up. */
async function identity(pid: number): Promise<Identity> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const row = (name: string) => new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1]?.trim() ?? "";
  const numbers = (name: string) => row(name).split(/\s+/).filter(Boolean).map(Number);
  return { uid: numbers("Uid"), gid: numbers("Gid"), groups: numbers("Groups") };
}

async function nobody(): Promise<Pick<Identity, "uid">> {
  const uid = await number("passwd", "nobody");
  return { uid: [uid, uid, uid, uid] };
}

/** The third field: uid or gid. */
async function number(database: "passwd" | "group", name: string): Promise<number> {
  const { stdout } = await run("getent", [database, name]);
  return Number(stdout.split(":")[2]);
}
