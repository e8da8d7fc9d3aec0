// The metrics of workers as Prometheus reads them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RetiredCounts, WorkerMetrics, totalOf } from "../../../proxy/observe/index.ts";
import { type Sample, parseMetrics, total } from "../../support/programs/status.ts";

function worker(sessions: number): WorkerMetrics {
  return new WorkerMetrics({
    sessions: () =>
      Array.from({ length: sessions }, () => ({ protocol: "imap", state: "login" }) as const),
    aside: () => [],
    refused: () => [],
    lost: () => ({ access: 0, error: 0 }),
  });
}

async function scraped(...workers: readonly WorkerMetrics[]): Promise<readonly Sample[]> {
  const text = await new RetiredCounts().expose(workers.map((each) => each.snapshot()));
  return parseMetrics(text);
}

test("a duration is counted in every bucket whose bound is not below it, in the sum and in the count", async () => {
  const metrics = worker(0);
  for (const ms of [0.5, 1, 1.1, 60_000, 60_001]) metrics.connected(ms);
  const samples = await scraped(metrics);
  const name = "postern_upstream_connect_duration_seconds";
  const below = (le: string): number => total(samples, `${name}_bucket`, { le });
  assert.deepEqual(["0.001", "0.005", "30", "60", "+Inf"].map(below), [2, 3, 3, 4, 5]);
  assert.equal(total(samples, `${name}_count`), 5);
  assert.ok(Math.abs(total(samples, `${name}_sum`) - 120.0036) < 1e-9);
});

test("counts begin at zero, and durations of a kind that never happened are absent", async () => {
  const samples = await scraped(worker(0));
  const named = (name: string) => samples.filter((sample) => sample.name === `postern_${name}`);
  assert.equal(named("logins_total").length, 15);
  assert.equal(named("tls_handshakes_total").length, 2);
  assert.ok(named("logins_total").every(({ value }) => value === 0));
  assert.equal(named("login_duration_seconds_count").length, 0);
  assert.equal(named("upstream_connect_duration_seconds_count").length, 1);
});

test("counts of a worker that has ended stay, and its sessions do not", async () => {
  const retired = new RetiredCounts();
  const [old, living] = [worker(3), worker(2)];
  for (const each of [old, living]) {
    each.accepted("imap");
    each.decided("imap", "accepted", 20);
    each.spliced("imap", 100, 2000);
  }
  retired.add(old.snapshot());
  const samples = parseMetrics(await retired.expose([living.snapshot()]));
  assert.equal(total(samples, "postern_sessions_accepted_total", { protocol: "imap" }), 2);
  assert.equal(total(samples, "postern_login_duration_seconds_count"), 2);
  assert.equal(total(samples, "postern_bytes_total", { direction: "sent" }), 4000);
  assert.equal(total(samples, "postern_sessions", { state: "login" }), 2);
  assert.equal(totalOf("sessions", [old.snapshot(), living.snapshot()]), 5);
});
