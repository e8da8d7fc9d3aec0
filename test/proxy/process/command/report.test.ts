// Errors and warnings of the command: at the terminal, and in the log of `-e` or nginx's default.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { makeSite, postern, refusedStart } from "../site.ts";

const AT = String.raw`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`;
const typo = `mail {\n  auth_htp 127.0.0.1;\n}`;

describe("an error of the configuration", { concurrency: 2 }, () => {
  test("is reported in nginx's words, with advice on a line of its own", async (t) => {
    const site = await makeSite(t, { "mail.conf": typo });
    const { end, stderr } = await postern(site, "-t");
    assert.equal(end, 1);
    assert.deepEqual(stderr.split("\n"), [
      `postern: [emerg] unknown directive "auth_htp" in ${site}/mail.conf:2`,
      'postern: did you mean "auth_http"?',
      `postern: configuration file ${site}/mail.conf test failed`,
      "",
    ]);
  });

  test("is in the default error log as well, whether of a test, a start or a signal", async (t) => {
    const site = await makeSite(t, { "mail.conf": typo, "logs/error.log": "" });
    await postern(site, "-t");
    await postern(site, "-s", "reload");
    await refusedStart(t, site);
    const lines = (await readFile(join(site, "logs/error.log"), "utf8")).trimEnd().split("\n");
    assert.equal(lines.length, 6);
    for (const [index, line] of lines.entries()) {
      const what = ['unknown directive "auth_htp" in ', 'did you mean "auth_http"?'][index % 2];
      assert.match(line, new RegExp(`${AT} \\[emerg\\] \\d+#\\d+: `));
      assert.ok(line.includes(what ?? ""), line);
    }
  });

  test("is in the log of -e instead", async (t) => {
    const site = await makeSite(t, { "mail.conf": typo, "logs/error.log": "" });
    await postern(site, "-t", "-e", "early.log");
    assert.match(await readFile(join(site, "early.log"), "utf8"), /auth_htp.*\n.*auth_http/);
    assert.equal(await readFile(join(site, "logs/error.log"), "utf8"), "");
  });

  test("is reported even if that log cannot be opened, which is reported too", async (t) => {
    const site = await makeSite(t, { "mail.conf": typo });
    const { end, stderr } = await postern(site, "-t", "-e", "missing/early.log");
    assert.equal(end, 1);
    assert.match(stderr, /unknown directive "auth_htp"/);
    const complaint = `could not open error log file: open() "${site}/missing/early.log" failed (2: No such file or directory)`;
    assert.ok(stderr.includes(`postern: [alert] ${complaint}\n`), stderr);
  });
});

test("nginx's warnings are warnings, Postern's are notices, and -q silences notices only", async (t) => {
  const site = await makeSite(t, {
    "mail.conf": `timer_resolution 1s;\n${mailBlock("imap_auth plain plain;")}`,
  });
  await mkdir(join(site, "logs"));
  const { end, stderr } = await postern(site, "-t");
  assert.equal(end, 0);
  const warning = `duplicate value "plain" in ${site}/mail.conf:2`;
  const [first, second, ...rest] = stderr.split("\n");
  assert.equal(first, `postern: [warn] ${warning}`);
  assert.match(second ?? "", /^postern: \[notice\] "timer_resolution" /);
  assert.equal(rest.length, 3);
  const log = await readFile(join(site, "logs/error.log"), "utf8");
  assert.match(log, new RegExp(`${AT} \\[warn\\] \\d+#\\d+: duplicate value "plain" in .*:2\n$`));

  const quiet = await postern(site, "-tq");
  assert.equal(quiet.stderr, `postern: [warn] ${warning}\n`);
});

test("-T prints the files byte by byte", async (t) => {
  const text = `# gr\u00fcn \u20ac\n${mailBlock('server_name "\u00fc";')}`;
  const site = await makeSite(t, { "mail.conf": text });
  const { stdout } = await postern(site, "-T");
  assert.equal(stdout, `# configuration file ${site}/mail.conf:\n${text}\n`);
});
