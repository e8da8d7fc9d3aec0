// `-s` signals the process of the pid file, or says why it cannot.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { greeted } from "../../../support/peers/mail-client.ts";
import { run } from "../../../support/programs/program.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { serve } from "../service.ts";
import { makeSite, postern } from "../site.ts";

const sent = { end: 0, stdout: "", stderr: "" };

describe("-s", { concurrency: 4 }, () => {
  test("stop ends the process at once", async (t) => {
    const { program, proxy, ports } = await serve(t, { imap: inTheClear.imap });
    const session = await greeted("imap", ports.imap);
    assert.deepEqual(await postern(proxy.directory, "-s", "stop"), sent);
    assert.equal(await program.ended, 0);
    session.end();
  });

  test("quit lets sessions end first", async (t) => {
    const { program, proxy } = await serve(t, { imap: inTheClear.imap });
    assert.deepEqual(await postern(proxy.directory, "-s", "quit"), sent);
    assert.equal(await program.ended, 0);
    assert.match(program.stderr, /\[notice\] .*gracefully shutting down$/m);
  });

  test("reload reads the configuration again", async (t) => {
    const { program, proxy, edit, ports } = await serve(t, { smtp: inTheClear.smtp });
    await edit("mx.example.test", "new.example.test");
    assert.deepEqual(await postern(proxy.directory, "-s", "reload"), sent);
    await program.logs(/worker process \d+ exited with code 0/);
    const session = await greeted("smtp", ports.smtp);
    session.write("HELO x\r\n");
    assert.match(await session.line(), /^250 new\.example\.test/);
    session.end();
  });

  test("says that there is no pid file", async (t) => {
    const site = await makeSite(t, { "mail.conf": `pid nginx.pid; ${mailBlock("")}` });
    assert.deepEqual(await postern(site, "-s", "stop"), {
      end: 1,
      stdout: "",
      stderr: `postern: [error] open() "${site}/nginx.pid" failed (2: No such file or directory)\n`,
    });
  });

  test("says that no pid file is configured", async (t) => {
    const site = await makeSite(t, { "mail.conf": mailBlock("") });
    const { end, stderr } = await postern(site, "-s", "quit");
    assert.equal(end, 1);
    assert.match(stderr, /^postern: \[error\] no "pid" file is configured.*\n$/);
  });

  test("reports an invalid pid, and sends nothing", async (t) => {
    const site = await makeSite(t, { "mail.conf": `pid nginx.pid; ${mailBlock("")}` });
    for (const text of ["", "12 13\n", "  12\n", "0\n", "-1\n"]) {
      await writeFile(join(site, "nginx.pid"), text);
      const shown = `invalid PID number "${text.trimEnd()}" in "${site}/nginx.pid"`;
      assert.deepEqual(await postern(site, "-s", "stop"), {
        end: 1,
        stdout: "",
        stderr: `postern: [error] ${shown}\n`,
      });
    }
  });

  test("says that the process of the pid file has gone", async (t) => {
    const gone = await run("sh", ["-c", "echo $$"]);
    const site = await makeSite(t, {
      "mail.conf": `pid nginx.pid; ${mailBlock("")}`,
      "nginx.pid": gone.stdout,
    });
    for (const [word, number] of Object.entries({ stop: 15, quit: 3, reload: 1, reopen: 10 })) {
      const call = `kill(${gone.stdout.trim()}, ${number})`;
      assert.deepEqual(await postern(site, "-s", word), {
        end: 1,
        stdout: "",
        stderr: `postern: [alert] ${call} failed (3: No such process)\n`,
      });
    }
  });

  test("sends nothing where the configuration has an error", async (t) => {
    const { program, proxy, file, ports } = await serve(t, { imap: inTheClear.imap });
    await writeFile(file("mail.conf"), "pid nginx.pid; mial {}");
    const { end, stderr } = await postern(proxy.directory, "-s", "stop");
    assert.equal(end, 1);
    assert.match(stderr, /^postern: \[emerg\] unknown directive "mial" in \S+:1\n.* "mail"\?\n$/);
    (await greeted("imap", ports.imap)).end();
    assert.equal(await program.stop("SIGQUIT"), 0);
    assert.match(program.stderr, /gracefully shutting down/);
  });
});
