import assert from "node:assert/strict";
import { test } from "node:test";
import { configure, mailBlock, mistake } from "../../../support/proxy/configuration.ts";

test("an included file is read in place, in its context", () => {
  const text =
    "include core.conf; mail { include mail.conf; server { listen 143; include server.conf; } }";
  const settings = configure(text, {
    "core.conf": "worker_processes 2;",
    "mail.conf": "auth_http h; timeout 3s;",
    "server.conf": "max_errors 7;",
  });
  assert.equal(settings.worker_processes, 2);
  assert.equal(settings.servers[0]?.timeout, 3000);
  assert.equal(settings.servers[0]?.max_errors, 7);
});

test("paths begin at the main file's directory, in nested files too", () => {
  const settings = configure(mailBlock("include sub/a.conf;"), {
    "sub/a.conf": "include sub/b.conf;",
    "sub/b.conf": "timeout 4s;",
  });
  assert.equal(settings.servers[0]?.timeout, 4000);
});

test("a mask's files are read in the order of their names; a mask that matches none is fine", () => {
  const text = "mail { include none/*.conf; auth_http h; include servers/*.conf; }";
  const { servers } = configure(text, {
    "servers/b.conf": "server { listen 110; }",
    "servers/a.conf": "server { listen 143; }",
    "servers/c.txt": "garbage",
  });
  assert.deepEqual(
    servers.map(({ protocol }) => protocol),
    ["imap", "pop3"],
  );
});

test("a mask is glob(3)'s: braces and ** have no meaning, and hidden files do not match", () => {
  const text = 'mail { auth_http h; include "s/**.conf"; include "{s,t}/*.conf"; }';
  const { servers } = configure(text, {
    "s/a.conf": "server { listen 143; }",
    "s/.hidden.conf": "server { listen 110; }",
    "s/deep/b.conf": "server { listen 25; }",
    "{s,t}/c.conf": "server { listen 587; }",
  });
  assert.deepEqual(
    servers.map(({ protocol }) => protocol),
    ["imap", "smtp"],
  );
});

test("the error about a missing file has the place of its include", () => {
  const told = mistake("events {}\ninclude none.conf;");
  assert.equal(
    told,
    'open() "/conf/none.conf" failed (2: No such file or directory) in /conf/main.conf:2',
  );
});

test("the error about an included file has that file's name and line", () => {
  const told = mistake("mail { include a.conf; }", { "a.conf": "timeout 1s;\n\ntimeout 2s;" });
  assert.equal(told, '"timeout" directive is duplicate in /conf/a.conf:3');
});

test("an included file must close its own blocks, and no others", () => {
  assert.match(
    mistake("include a.conf; }", { "a.conf": "mail {" }),
    /^unexpected end of file, expecting "}" in \/conf\/a\.conf:1$/,
  );
  assert.match(
    mistake("mail { include a.conf;", { "a.conf": "}" }),
    /^unexpected "}" in \/conf\/a\.conf:1$/,
  );
});

test("files that include themselves or each other are an error", () => {
  assert.match(mistake("include main.conf;"), /main\.conf.* in \/conf\/main\.conf:1$/);
  assert.match(
    mistake("include a.conf;", { "a.conf": "include b.conf;", "b.conf": "include a.conf;" }),
    /\.conf/,
  );
  assert.match(mistake("include *.conf;"), /\.conf/);
});

test("including a folder is an error", () => {
  assert.match(
    mistake("include sub;", { "sub/a": "" }),
    /^open\(\) "\/conf\/sub" failed \(21: Is a directory\)/,
  );
});

test("blocks of other modules are skipped whole, with one notice each", () => {
  const http =
    'http { include nothing.conf; server { listen 80; location ~ "{" { return 200 "}"; } } }';
  const settings = configure(
    `${http}\nstream { upstream x { server 127.0.0.1:1; } }\n${mailBlock("")}`,
  );
  assert.equal(settings.servers.length, 1);
  assert.equal(settings.notices.length, 2);
  assert.match(settings.notices[0] ?? "", /"http".*main\.conf:1$/);
  assert.match(settings.notices[1] ?? "", /"stream".*main\.conf:2$/);
});

test("unknown blocks are skipped too, unless their name is almost one of ours", () => {
  const settings = configure(`rtmp { server { "a" { } } }\n${mailBlock("")}`);
  assert.match(settings.notices[0] ?? "", /^the "rtmp" block is not mail.*main\.conf:1$/);
  assert.match(mistake("mails { }"), /^unknown directive "mails"/);
});
