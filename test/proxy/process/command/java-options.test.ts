// Java's properties on the command line of a running Postern: -D, @FILE and POSTERN_JAVA_OPTS.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { route, startLookupEndpoint } from "../../../support/peers/lookup-endpoint.ts";
import { attempt, greeted, loggedIn, temporary } from "../../../support/peers/mail-client.ts";
import { type TestProxy, startConnectProxy } from "../../../support/peers/outbound-proxies.ts";
import { posternEntry } from "../../../support/real-servers/index.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { Program } from "../../../support/programs/program.ts";
import { grantImap, silence, startUpstream } from "../../../support/peers/upstream.ts";
import { makeSite, postern } from "../site.ts";

const good = `pid nginx.pid;\n${mailBlock("protocol imap;").replace("143", "1143")}\n`;

/** The page's own block, with its stray quote. */
const PAGE = `# pop
-Dmail.pop3.proxy.host=proxy.local
-Dmail.pop3.proxy.port=8080
-Dmail.pop3s.proxy.host=proxy.local
-Dmail.pop3s.proxy.port=8080"
`;

describe("-t", { concurrency: 2 }, () => {
  test("accepts the page's block, with a warning of its stray quote", async (t) => {
    const site = await makeSite(t, { "mail.conf": good, "ox.args": PAGE });
    const { end, stderr } = await postern(site, "-t", `@${site}/ox.args`);
    assert.equal(end, 0);
    assert.equal(
      stderr.split("\n")[0],
      `postern: [warn] a quote is not closed and ends with its line in ${site}/ox.args:5`,
    );
  });

  test("reports an error with its file and line, and with advice", async (t) => {
    const args = "# mine\n-Dmail.imap.proxy.hots=proxy.local\n";
    const site = await makeSite(t, { "mail.conf": good, "ox.args": args });
    const { end, stderr } = await postern(site, "-t", `@${site}/ox.args`);
    assert.equal(end, 1);
    assert.deepEqual(stderr.split("\n"), [
      `postern: [emerg] unknown property "mail.imap.proxy.hots" in ${site}/ox.args:2`,
      'postern: did you mean "mail.imap.proxy.host"?',
      `postern: configuration file ${site}/mail.conf test failed`,
      "",
    ]);
  });

  test("gives a notice of unknown properties", async (t) => {
    const site = await makeSite(t, { "mail.conf": good });
    const { stderr } = await postern(site, "-t", "-Djava.security.egd=file:/dev/urandom");
    assert.match(
      stderr,
      /^postern: \[notice\] "-Djava\.security\.egd" has no effect: .* in command line\n/,
    );
  });

  test("and -T show no password", async (t) => {
    const conf = good.replace("mail {", "mail { outbound_proxy http://u:SECRET@proxy.local;");
    const args =
      "-Dmail.imap.proxy.host=p -Dmail.imap.proxy.user=u -Dmail.imap.proxy.password=SECRET";
    const site = await makeSite(t, { "mail.conf": conf, "ox.args": args });
    const { end, stdout, stderr } = await postern(site, "-T", `@${site}/ox.args`);
    assert.equal(end, 0);
    assert.match(stdout, /outbound_proxy http:\/\/u:\*\*\*@proxy\.local;/);
    assert.doesNotMatch(stdout + stderr, /SECRET/);
  });
});

type Site = {
  readonly path: string;
  readonly port: number;
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Program;
};

/** Postern's configuration before an IMAP server, to be run with options. */
async function imapSite(
  t: TestContext,
  headers: Readonly<Record<string, string>> = {},
): Promise<Site> {
  const upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  t.after(() => upstream.close());
  const endpoint = await startLookupEndpoint(() => route(upstream.port, headers));
  t.after(() => endpoint.close());
  const [port = 0] = await freePorts(1);
  const server = `server { listen 127.0.0.1:${port}; protocol imap; }`;
  const conf = `error_log stderr notice; pid nginx.pid; mail { auth_http ${endpoint.address}; ${server} }`;
  const path = await makeSite(t, { "mail.conf": conf });
  return {
    path,
    port,
    run: (args, env = {}) => {
      const words = [posternEntry, "-p", path, "-c", "mail.conf", ...args];
      const program = new Program(process.execPath, words, { env: { ...process.env, ...env } });
      t.after(() => program.stop());
      return program;
    },
  };
}

async function twoProxies(t: TestContext): Promise<readonly [TestProxy, TestProxy]> {
  const proxies = [
    await startConnectProxy(),
    await startConnectProxy({ login: "u:SECRET" }),
  ] as const;
  for (const proxy of proxies) t.after(() => proxy.close());
  return proxies;
}

async function logIn({ port }: Site): Promise<void> {
  const wire = await loggedIn("imap", port);
  wire.end();
}

const properties = (port: number): string =>
  `-Dmail.imap.proxy.host=127.0.0.1 -Dmail.imap.proxy.port=${port} `;
const CREDENTIALS = "-Dmail.imap.proxy.user=u -Dmail.imap.proxy.password=SECRET ";

test("a reload reads the argument file again, and an error there changes nothing", async (t) => {
  const site = await imapSite(t);
  const [one, other] = await twoProxies(t);
  const file = join(site.path, "ox.args");
  await writeFile(file, properties(one.port));
  const program = site.run([`@${file}`]);
  await program.logs(/start worker process/);
  await logIn(site);
  assert.deepEqual([one.asked.length, other.asked.length], [1, 0]);

  await writeFile(file, properties(other.port) + CREDENTIALS);
  program.signal("SIGHUP");
  await program.logs(/exited with code 0/);
  await logIn(site);
  assert.deepEqual([one.asked.length, other.asked.length], [1, 1]);

  await writeFile(file, "-Dmail.imap.proxy.prot=1");
  program.signal("SIGHUP");
  await program.logs(/\[emerg\] .*unknown property "mail\.imap\.proxy\.prot" in \S+ox\.args:1/);
  await logIn(site);
  assert.deepEqual([one.asked.length, other.asked.length], [1, 2]);
  assert.doesNotMatch(program.stderr, /SECRET/);
});

test("POSTERN_JAVA_OPTS is read as well, and the command line wins over it", async (t) => {
  const site = await imapSite(t);
  const [one, other] = await twoProxies(t);
  const env = { POSTERN_JAVA_OPTS: properties(one.port) + CREDENTIALS };
  const program = site.run([`-Dmail.imap.proxy.port=${other.port}`], env);
  await program.logs(/start worker process/);
  await logIn(site);
  assert.deepEqual([one.asked.length, other.asked.length], [0, 1]);
});

test("hosts that nonProxyHosts names are reached directly", async (t) => {
  const site = await imapSite(t);
  const [one] = await twoProxies(t);
  const near = "-Dmail.imap.proxy.nonProxyHosts=localhost|127.0.0.0/8|[::1]";
  const program = site.run([...properties(one.port).trim().split(" "), near]);
  await program.logs(/start worker process/);
  await logIn(site);
  assert.equal(one.asked.length, 0);
});

test("properties of imaps are for upstreams under implicit TLS", async (t) => {
  const site = await imapSite(t, { "Auth-Upstream-TLS": "tls" });
  const [one, other] = await twoProxies(t);
  const flags = properties(one.port) + properties(other.port).replaceAll("imap.", "imaps.");
  const program = site.run(flags.trim().split(" "));
  await program.logs(/start worker process/);
  const wire = await greeted("imap", site.port);
  assert.match(await attempt("imap", wire), temporary.imap);
  assert.deepEqual([one.asked.length, other.asked.length], [0, 1]);
});
