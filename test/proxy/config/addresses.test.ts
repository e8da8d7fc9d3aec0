// Names that nginx looks up at its start.
import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import {
  ConfigError,
  type Settings,
  readConfiguration,
  resolveAddresses,
  trusts,
} from "../../../proxy/config/index.ts";
import { makeScratch } from "../../support/programs/scratch.ts";

async function resolved(t: TestContext, text: string): Promise<Settings> {
  const { path: prefix, remove } = await makeScratch();
  t.after(remove);
  const file = join(prefix, "mail.conf");
  await writeFile(file, text);
  const { settings, names } = readConfiguration({ file, prefix, globals: "", errorLog: "stderr" });
  return resolveAddresses(settings, names);
}

const localhost = (await lookup("localhost", { all: true })).map(({ address }) => address);

test("set_real_ip_from trusts every address of a name", async (t) => {
  const trust = "set_real_ip_from 10.0.0.0/8; set_real_ip_from localhost; set_real_ip_from unix:;";
  const { servers } = await resolved(t, mail(trust));
  const words = servers[0]!.set_real_ip_from;
  assert.deepEqual(words, ["10.0.0.0/8", ...new Set(localhost), "unix:"]);
  const trusted = trusts(words);
  for (const host of ["10.1.2.3", "unix:", ...localhost]) assert.ok(trusted(host), host);
  for (const host of ["11.0.0.1", "localhost", ""]) assert.ok(!trusted(host), host);
});

test("a name below localhost has the addresses of localhost (RFC 6761 section 6.3)", async (t) => {
  const { servers } = await resolved(t, mail("set_real_ip_from mail.localhost;"));
  assert.deepEqual(servers[0]!.set_real_ip_from, [...new Set(localhost)]);
});

test("the resolver asks every address of a name", async (t) => {
  const { servers } = await resolved(t, mail("resolver 192.0.2.53 localhost:5353;"));
  assert.deepEqual(servers[0]?.resolver?.servers, [
    { host: "192.0.2.53", port: 53 },
    ...[...new Set(localhost)].map((host) => ({ host, port: 5353 })),
  ]);
});

test("syslog takes the first address of a name", async (t) => {
  const log = "syslog:server=localhost:5140";
  const { servers, error_log } = await resolved(
    t,
    `error_log ${log}; ${mail(`error_log ${log}; access_log ${log};`)}`,
  );
  const [server] = servers;
  const places = [
    error_log[0]?.destination,
    server?.error_log[0]?.destination,
    server?.access_log[0]?.destination,
  ];
  for (const place of places) {
    assert.ok(typeof place === "object" && "syslog" in place);
    assert.equal(place.syslog.host, localhost[0]);
    assert.equal(place.syslog.port, 5140);
  }
});

test("the name in auth_http must have an address, and stays a name", async (t) => {
  const { servers } = await resolved(t, mail("auth_http localhost:9/auth;"));
  assert.equal(servers[0]?.auth_http.host, "localhost");
});

test("the first name without an address gets nginx's error, with its place", async (t) => {
  const text = mail("\nauth_http http://a.invalid/x;\nset_real_ip_from b.invalid;");
  await assert.rejects(resolved(t, text), (error: Error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /^host not found in auth_http "a\.invalid\/x" in \S*mail\.conf:2$/);
    return true;
  });
});

describe("listen", () => {
  test("binds every address of a name, each port of a range", async (t) => {
    const { servers } = await resolved(t, listening("listen localhost:1143-1144 backlog=5;"));
    const found = servers[0]!.listen
      .slice(1)
      .map(({ host, port, backlog }) => [host, port, backlog]);
    const expected = [1143, 1144].flatMap((port) =>
      [...new Set(localhost)].map((host) => [host, port, 5]),
    );
    assert.deepEqual(found, expected);
  });

  test("of a name without an address is an error with its line", async (t) => {
    const complaint =
      /^ConfigError: host not found in "a\.invalid:1-2" of the "listen" directive in \S+:2$/;
    await assert.rejects(resolved(t, listening("\nlisten a.invalid:1-2;")), complaint);
  });

  test("may stand once for an address, under any name", async (t) => {
    const text = listening("listen 127.0.0.1:1143;\n listen localhost:1143;");
    const complaint = /^ConfigError: duplicate "127\.0\.0\.1:1143" address and port pair in \S+:2$/;
    await assert.rejects(resolved(t, text), complaint);
  });
});

function mail(directives: string): string {
  return `mail { auth_http 127.0.0.1:9; ${directives} server { listen 127.0.0.1:143; } }`;
}

function listening(directives: string): string {
  return `mail { auth_http 127.0.0.1:9; server { listen 127.0.0.1:143; ${directives} } }`;
}
