// `-t`, `-T`, `-g`, `-v`, `-V` and `-?`: their output, and that nothing starts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { issue } from "../../../support/certificates/authority.ts";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { posternEntry } from "../../../support/real-servers/index.ts";
import { run } from "../../../support/programs/program.ts";
import { secret } from "../../../support/secrets.ts";
import { makeSite, postern } from "../site.ts";

/** On a port that everybody may bind. */
const mail = mailBlock("protocol imap;").replace("143", "1143");
const good = `pid nginx.pid;\n${mail}\n`;

describe("-t", { concurrency: 2 }, () => {
  test("accepts a good configuration, and names its full path", async (t) => {
    const site = await makeSite(t, { "mail.conf": good });
    assert.deepEqual(await postern(site, "-t"), {
      end: 0,
      stdout: "",
      stderr:
        `postern: the configuration file ${site}/mail.conf syntax is ok\n` +
        `postern: configuration file ${site}/mail.conf test is successful\n`,
    });
  });

  test("reports an error with file and line, also in an included file", async (t) => {
    const site = await makeSite(t, {
      "mail.conf": "events {}\nmail {\n  auth_http 127.0.0.1:9;\n  include servers/*.conf;\n}\n",
      "servers/imap.conf": "server {\n  listen 143;\n  timeout soon;\n}\n",
    });
    const { end, stdout, stderr } = await postern(site, "-t");
    assert.deepEqual([end, stdout], [1, ""]);
    const [mistake, failed] = stderr.split("\n");
    assert.equal(
      mistake,
      `postern: [emerg] "timeout" directive invalid value in ${site}/servers/imap.conf:3`,
    );
    assert.equal(failed, `postern: configuration file ${site}/mail.conf test failed`);
  });

  test("names a missing certificate", async (t) => {
    const tls = "starttls on; ssl_certificate missing.pem; ssl_certificate_key key.pem;";
    const site = await makeSite(t, { "mail.conf": mailBlock(tls) });
    const { end, stderr } = await postern(site, "-t");
    assert.equal(end, 1);
    assert.match(stderr, new RegExp(`^postern: \\[emerg\\] .*"${site}/missing\\.pem"`));
    assert.doesNotMatch(stderr, /syntax is ok/);
  });

  test("names the options of TLS to upstreams and lookup endpoints that OpenSSL refuses", async (t) => {
    const weak = issue("/CN=weak", { rsa: true, bits: 1024 });
    const files = { "weak.crt": weak.certificate, "weak.key": weak.key };
    const pair = (family: string): string =>
      `${family}_certificate weak.crt; ${family}_certificate_key weak.key;`;
    const REFUSED: Readonly<Record<string, string>> = {
      "proxy_ssl_ciphers FOO;":
        'SSL_CTX_set_cipher_list("FOO") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
      [pair("proxy_ssl")]:
        "OpenSSL refuses the proxy_ssl_* directives (SSL: error:0A00018F:SSL routines::ee key too small)",
      [`auth_http https://127.0.0.1/; ${pair("auth_http_ssl")}`]:
        "OpenSSL refuses the auth_http_ssl_* directives (SSL: error:0A00018F:SSL routines::ee key too small)",
    };
    for (const [directives, told] of Object.entries(REFUSED)) {
      const site = await makeSite(t, { ...files, "mail.conf": mailBlock(directives) });
      const { end, stderr } = await postern(site, "-t");
      assert.equal(end, 1);
      assert.equal(stderr.split("\n")[0], `postern: [emerg] ${told} in ${site}/mail.conf:1`);
    }
  });

  test("says where a directive does something else than in nginx", async (t) => {
    const site = await makeSite(t, { "mail.conf": `events { use epoll; }\n${good}` });
    const { end, stderr } = await postern(site, "-t");
    assert.equal(end, 0);
    const notice = `"use" has no effect: Node chooses in ${site}/mail.conf:1`;
    assert.equal(stderr.split("\n")[0], `postern: [notice] ${notice}`);
  });

  test("with -q reports failures alone", async (t) => {
    const site = await makeSite(t, { "mail.conf": good, "bad.conf": "mial {}" });
    assert.deepEqual(await postern(site, "-tq"), { end: 0, stdout: "", stderr: "" });
    const { end, stderr } = await postern(site, "-tq", "-c", "bad.conf");
    assert.equal(end, 1);
    assert.match(stderr, /unknown directive "mial".* in \S+bad\.conf:1\n.* test failed\n$/s);
  });

  test("finds what would make a start fail later", async (t) => {
    const logs = {
      "error_log missing/error.log;": "error.log",
      "pid missing/nginx.pid;": "nginx.pid",
    };
    for (const [directive, file] of Object.entries(logs)) {
      const site = await makeSite(t, { "mail.conf": `${directive} ${mail}` });
      const { end, stderr } = await postern(site, "-t");
      assert.equal(end, 1);
      const complaint = `open() "${site}/missing/${file}" failed (2: No such file or directory)`;
      assert.deepEqual(stderr.split("\n"), [
        `postern: the configuration file ${site}/mail.conf syntax is ok`,
        `postern: [emerg] ${complaint}`,
        `postern: configuration file ${site}/mail.conf test failed`,
        "",
      ]);
    }
  });

  test("without a file reads conf/nginx.conf below the prefix, or below the current directory", async (t) => {
    const site = await makeSite(t, { "conf/nginx.conf": good });
    const success = `configuration file ${site}/conf/nginx.conf test is successful\n`;
    const named = await run(process.execPath, [posternEntry, "-t", "-p", site]);
    assert.ok(named.stderr.endsWith(success), named.stderr);
    const here = await run(process.execPath, [posternEntry, "-t"], { cwd: site });
    assert.ok(here.stderr.endsWith(success), here.stderr);
  });
});

describe("-T", { concurrency: 2 }, () => {
  const files = {
    "mail.conf": `# Grüße  \n\tinclude "main/*.conf";\n\n${good}`,
    "main/a.conf": "worker_processes 2;   # no line end",
    "main/b.conf": "events {}\r\n",
  };

  test("prints every file unchanged, in the order of reading", async (t) => {
    const site = await makeSite(t, files);
    const { end, stdout, stderr } = await postern(site, "-T");
    const dump = Object.entries(files).map(
      ([name, text]) => `# configuration file ${site}/${name}:\n${text}\n`,
    );
    assert.deepEqual([end, stdout], [0, dump.join("")]);
    assert.match(stderr, /test is successful\n$/);
  });

  test("with -q prints nothing else", async (t) => {
    const site = await makeSite(t, { "mail.conf": good });
    assert.deepEqual(await postern(site, "-qT"), {
      end: 0,
      stdout: `# configuration file ${site}/mail.conf:\n${good}\n`,
      stderr: "",
    });
  });

  test("shows no key of the lookup endpoint, and no password of an outbound proxy", async (t) => {
    const key = secret("lookup-key;0815");
    const password = secret("proxy@pass@word");
    const held = good.replace(
      /mail \{/,
      `# auth_http_header X-Auth-Key ${secret("former-key")};
      mail {
        auth_http_header X-Auth-Key "${key}"; auth_http_header X-Site 'a'; auth_http_header Y ${secret("next-key\\;b")};
        "auth_http_header" Z # ${secret("previous-key")}
          '${secret("quoted-key")}';
        outbound_proxy http://postern:${password}@127.0.0.1:3128;`,
    );
    const site = await makeSite(t, { "mail.conf": held });
    const { end, stdout } = await postern(site, "-T");
    assert.equal(end, 0);
    assert.match(stdout, /# auth_http_header X-Auth-Key \*\*\*;\n/);
    assert.match(stdout, /auth_http_header X-Auth-Key \*\*\*; auth_http_header X-Site \*\*\*; /);
    assert.match(stdout, /auth_http_header Y \*\*\*;\n/);
    assert.match(
      stdout,
      /"auth_http_header" Z #\*\*\*\n {10}\*\*\*;\n.*http:\/\/postern:\*\*\*@127/,
    );
  });

  test("prints nothing of a configuration with an error", async (t) => {
    const site = await makeSite(t, { "mail.conf": "mail {" });
    const { end, stdout } = await postern(site, "-T");
    assert.deepEqual([end, stdout], [1, ""]);
  });
});

describe("-g", { concurrency: 2 }, () => {
  test("comes before the file, where the same directive is a duplicate", async (t) => {
    const site = await makeSite(t, { "mail.conf": good });
    const { end, stderr } = await postern(site, "-t", "-g", "pid other.pid;");
    assert.equal(end, 1);
    assert.match(stderr, /\[emerg\] "pid" directive is duplicate in \S+mail\.conf:1\n/);
  });

  const mistakes: Readonly<Record<string, RegExp>> = {
    "worker_processes 2": /unexpected end of parameter, expecting ";" in command line\n/,
    "mail {}": /block directives are not supported in -g option in command line\n/,
    "nonsense on;": /unknown directive "nonsense".* in command line\n/,
  };
  for (const [directives, complaint] of Object.entries(mistakes)) {
    test(`is named as the place of the error in "${directives}"`, async (t) => {
      const site = await makeSite(t, { "mail.conf": good });
      const { end, stderr } = await postern(site, "-t", "-g", directives);
      assert.equal(end, 1);
      assert.match(stderr, complaint);
    });
  }

  test("is named as the place of a notice", async (t) => {
    const site = await makeSite(t, { "mail.conf": good });
    const { stderr } = await postern(site, "-t", "-g", "pcre_jit on;");
    assert.match(stderr, /^postern: \[notice\] "pcre_jit" .* in command line\n/);
  });
});

describe("about itself", { concurrency: 2 }, () => {
  const version = /^postern version: postern\/\d+\.\d+\.\d+ \(as nginx\/[\d.]+\)\n/;

  test("-v shows the version and needs no configuration", async () => {
    const { end, stdout, stderr } = await postern("/nowhere", "-v");
    assert.deepEqual([end, stdout], [0, ""]);
    assert.match(stderr, new RegExp(`${version.source}$`));
  });

  test("-V also shows the lines of nginx that scripts look for", async () => {
    const { end, stdout, stderr } = await postern("/nowhere", "-V");
    assert.deepEqual([end, stdout], [0, ""]);
    assert.match(stderr, version);
    assert.match(stderr, /^TLS SNI support enabled$/m);
    assert.match(stderr, /^configure arguments: .*--with-mail --with-mail_ssl_module/m);
  });

  for (const option of ["-?", "-h"]) {
    test(`${option} shows every option`, async () => {
      const { end, stdout, stderr } = await postern("/nowhere", option);
      assert.deepEqual([end, stdout], [0, ""]);
      assert.match(stderr, version);
      for (const letter of "?hvVtTqspecg") {
        assert.match(stderr, new RegExp(`^ .*-[${letter}]`, "m"));
      }
    });
  }

  test("-v with -t goes on testing", async (t) => {
    const site = await makeSite(t, { "mail.conf": good });
    const { end, stderr } = await postern(site, "-vt");
    assert.equal(end, 0);
    assert.match(stderr, version);
    assert.match(stderr, /test is successful\n$/);
  });

  test("an invalid option exits with 1", async () => {
    const told = { end: 1, stdout: "", stderr: 'postern: invalid option: "x"\n' };
    assert.deepEqual(await postern("/nowhere", "-tx"), told);
  });
});
