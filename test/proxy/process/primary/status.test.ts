import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "../../../support/eventually.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  greetedSecurely,
  untilClosed,
} from "../../../support/peers/mail-client.ts";
import { route, startLookupEndpoint } from "../../../support/peers/lookup-endpoint.ts";
import { startMailbox } from "../../../support/peers/mailbox/index.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { codeOf, scrape, scrapeUntil, total } from "../../../support/programs/status.ts";
import { inTheClear, startServers } from "../../../support/programs/servers.ts";
import type { Wire } from "../../../support/peers/wire.ts";
import { type Service, serve } from "../service.ts";

type Name = "imap" | "pop3" | "imaps";

async function statusService(
  t: TestContext,
  main = "",
): Promise<Service<Name> & { readonly status: number }> {
  const [status = 0] = await freePorts(1);
  const { imap, pop3 } = inTheClear;
  const imaps = "listen 127.0.0.1:PORT ssl; protocol imap;";
  const running = await serve(t, { imap, pop3, imaps }, main, `status_listen 127.0.0.1:${status};`);
  return { ...running, status };
}

async function loggedIn(service: Service<Name>): Promise<Wire> {
  const wire = await greeted("imap", service.ports.imap);
  assert.match(await attempt("imap", wire, anna), granted.imap);
  return wire;
}

async function logOut(wire: Wire): Promise<void> {
  wire.write("z LOGOUT\r\n");
  await untilClosed(wire);
}

/** Subjects that operators watch. Each is a word in the name of some metric. */
const WORDS =
  "session login lookup connect cache bytes tls cert refused upstream event_loop memory".split(" ");

test("every subject has a metric with its word in the name before anything has happened", async (t) => {
  const { status } = await statusService(t);
  const response = await fetch(`http://127.0.0.1:${status}/metrics`);
  const text = await response.text();
  const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);
  for (const word of WORDS)
    assert.ok(
      names.some((name) => name.includes(word)),
      word,
    );
  for (const name of names) assert.match(name, /^postern_[a-z_]+$/);
});

test("sessions and logins of all workers are added up, by protocol, state and result", async (t) => {
  const service = await statusService(t, "worker_processes 2;");
  await service.workers(2);
  const wires = [];
  for (let count = 0; count < 8; count++) wires.push(await loggedIn(service));
  const waiting = await greeted("pop3", service.ports.pop3);
  const refused = await greeted("imap", service.ports.imap);
  assert.match(await attempt("imap", refused, { ...anna, password: "wrong" }), /^a NO/);

  // The connections that have checked the ports may have ended only just now.
  const during = await scrapeUntil(
    service.status,
    (samples) => total(samples, "postern_sessions") === 9,
  );
  const state = (protocol: string, name: string): number =>
    total(during, "postern_sessions", { protocol, state: name });
  assert.equal(state("imap", "proxying"), 8);
  assert.equal(state("pop3", "commands"), 1);
  assert.equal(total(during, "postern_processes", { process: "worker" }), 2);
  const result = (name: string): number =>
    total(during, "postern_logins_total", { protocol: "imap", result: name });
  assert.equal(result("accepted"), 8);
  assert.equal(result("unavailable"), 1);
  assert.equal(total(during, "postern_login_duration_seconds_count", { result: "accepted" }), 8);
  assert.equal(total(during, "postern_lookup_duration_seconds_count", { result: "route" }), 9);
  assert.equal(total(during, "postern_upstream_connect_duration_seconds_count"), 9);

  for (const wire of wires) await logOut(wire);
  waiting.write("QUIT\r\n");
  await untilClosed(waiting);
  const ended = await scrapeUntil(
    service.status,
    (samples) => total(samples, "postern_sessions") === 0,
  );
  const bytes = (direction: string): number =>
    total(ended, "postern_bytes_total", { protocol: "imap", direction });
  assert.equal(bytes("received"), 8 * "z LOGOUT\r\n".length);
  assert.ok(bytes("sent") > bytes("received"));
});

test("TLS handshakes are counted by version, and a certificate has the time of its expiry", async (t) => {
  const service = await statusService(t);
  await greetedSecurely("imap", service.ports.imaps).then(logOut);
  const broken = await greeted("imap", service.ports.imap);
  await logOut(broken);
  const samples = await scrape(service.status);
  assert.equal(total(samples, "postern_tls_handshakes_total", { version: "TLSv1.3" }), 1);
  const expires = samples.filter(
    ({ name }) => name === "postern_certificate_expiry_timestamp_seconds",
  );
  assert.equal(expires.length, 1);
  assert.ok((expires[0]?.value ?? 0) > Date.now() / 1000);
});

test("the counts of workers outlive a reload and the death of a worker", async (t) => {
  const service = await statusService(t);
  await logOut(await loggedIn(service));
  const accepted = (samples: Parameters<typeof total>[0]): number =>
    total(samples, "postern_logins_total", { result: "accepted" });
  service.program.signal("SIGHUP");
  await service.program.logs(/worker process \d+ exited with code 0/);
  assert.equal(accepted(await scrape(service.status)), 1);

  await logOut(await loggedIn(service));
  const before = await scrapeUntil(service.status, (samples) => accepted(samples) === 2);
  assert.equal(total(before, "postern_processes", { process: "worker" }), 1);
  const [, worker] = await service.workers(2);
  process.kill(worker!, "SIGKILL");
  await service.program.logs(/worker process \d+ exited on signal 9/);
  assert.equal(accepted(await scrape(service.status)), 2);
});

/** Waits until `/readyz` has this code. */
async function readiness(status: number, code: number): Promise<void> {
  await eventually(
    `/readyz answers ${code}`,
    async () => (await codeOf(status, "/readyz")) === code,
  );
}

test("a draining Postern is alive and not ready until the last session has ended", async (t) => {
  const service = await statusService(t);
  const { status, program } = service;
  await readiness(status, 200);
  const wire = await loggedIn(service);
  program.signal("SIGQUIT");
  await readiness(status, 503);
  assert.equal(await codeOf(status, "/healthz"), 200);
  assert.equal(total(await scrape(status), "postern_sessions", { state: "proxying" }), 1);
  await logOut(wire);
  assert.equal(await program.ended, 0);
});

test("Postern is ready without a lookup endpoint, and answers no other paths", async (t) => {
  const service = await statusService(t);
  await readiness(service.status, 200);
  assert.equal(await codeOf(service.status, "/"), 404);
  assert.equal(await codeOf(service.status, "/metrics/../x"), 404);
  assert.equal(await codeOf(service.status, "/toString"), 404);
  const posted = await fetch(`http://127.0.0.1:${service.status}/metrics`, { method: "POST" });
  assert.equal(posted.status, 405);
});

test("a reload moves the pages to another address, and closes the old one", async (t) => {
  const service = await statusService(t);
  const [other = 0] = await freePorts(1);
  await service.edit(
    `status_listen 127.0.0.1:${service.status}`,
    `status_listen 127.0.0.1:${other}`,
  );
  service.program.signal("SIGHUP");
  await service.program.logs(/worker process \d+ exited with code 0/);
  assert.equal(await codeOf(other, "/readyz"), 200);
  await assert.rejects(codeOf(service.status, "/readyz"));
});

test("with master_process off, the one process shows its own metrics", async (t) => {
  const service = await statusService(t, "master_process off;");
  await logOut(await loggedIn(service));
  const samples = await scrape(service.status);
  assert.equal(total(samples, "postern_logins_total", { result: "accepted" }), 1);
  assert.equal(total(samples, "postern_processes"), 1);
});

test("lookups from the cache and logins beyond a limit are counted as such", async (t) => {
  const mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  t.after(() => mailbox.close());
  const endpoint = await startLookupEndpoint(() =>
    route(mailbox.imap.port, { "Cache-Control": "private, max-age=60" }),
  );
  t.after(() => endpoint.close());
  const [status = 0] = await freePorts(1);
  const postern = await startServers(
    `auth_http ${endpoint.address}; auth_http_cache on; status_listen 127.0.0.1:${status};
     limit_conn_zone $remote_user zone=user:1m; limit_conn user 2;
     log_format short '$login $status'; access_log stdout short;`,
    { imap: inTheClear.imap },
  );
  t.after(() => postern.stop());
  const answers: string[] = [];
  for (let count = 0; count < 3; count++) {
    const wire = await greeted("imap", postern.ports.imap);
    answers.push(await attempt("imap", wire, anna));
  }
  assert.match(answers[1] ?? "", granted.imap);
  assert.match(answers[2] ?? "", /^a NO \[/);
  await postern.proxy.program.says(`${anna.login} 503`);
  const samples = await scrape(status);
  const result = (name: string, of: string): number => total(samples, name, { result: of });
  assert.equal(result("postern_lookup_cache_total", "miss"), 1);
  assert.equal(result("postern_lookup_cache_total", "hit"), 2);
  assert.equal(result("postern_logins_total", "accepted"), 2);
  assert.equal(result("postern_logins_total", "limited"), 1);
  assert.equal(total(samples, "postern_refused_total", { reason: "user_connections" }), 1);
});
